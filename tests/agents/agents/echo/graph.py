"""Replies at once: one node, no model."""

from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph


async def reply(state: MessagesState) -> MessagesState:
    return {"messages": [AIMessage(f"echo: {state['messages'][-1].text}")]}


graph = StateGraph(MessagesState).add_node(reply).set_entry_point("reply")
