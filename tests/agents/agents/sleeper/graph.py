"""Never replies: it runs until it is cancelled."""

import asyncio

from langgraph.graph import MessagesState, StateGraph


async def sleep(state: MessagesState) -> MessagesState:
    await asyncio.Event().wait()
    return {"messages": []}


graph = StateGraph(MessagesState).add_node(sleep).set_entry_point("sleep")
