"""Answers at once: one node, no model."""

from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph


async def answer(state: MessagesState) -> MessagesState:
    return {"messages": [AIMessage(f"echo: {state['messages'][-1].text}")]}


graph = StateGraph(MessagesState).add_node(answer).set_entry_point("answer")
