"""Runs until its limit of cost ends it, on a model without a price."""

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import MessagesState, StateGraph

model = FakeListChatModel(responses=["x"])


async def talk(state: MessagesState) -> MessagesState:
    return {"messages": [await model.ainvoke("x")]}


graph = StateGraph(MessagesState).add_node(talk).set_entry_point("talk").add_edge("talk", "talk")
