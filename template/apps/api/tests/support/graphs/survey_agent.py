"""An agent that asks two questions at once, and replies with the answers."""

from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt


def name(state: MessagesState) -> MessagesState:
    """Ask for a name."""
    return {"messages": [AIMessage(f"Name: {interrupt('Your name?')}")]}


def town(state: MessagesState) -> MessagesState:
    """Ask for a town."""
    return {"messages": [AIMessage(f"Town: {interrupt('Your town?')}")]}


graph = (
    StateGraph(MessagesState)
    .add_node("name", name)
    .add_node("town", town)
    .add_edge(START, "name")
    .add_edge(START, "town")
    .compile()
)
