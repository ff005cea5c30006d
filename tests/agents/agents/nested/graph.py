"""Interrupts its run in a subgraph, and reports its progress."""

from langgraph.config import get_stream_writer
from langgraph.graph import StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    text: str


def draft(state: State) -> State:
    get_stream_writer()({"step": "draft"})
    return {"text": state["text"].upper()}


def ask(state: State) -> State:
    return {"text": f"{state['text']}, {interrupt({'approve': state['text']})}"}


inner = (
    StateGraph(State)
    .add_node(draft)
    .add_node(ask)
    .set_entry_point("draft")
    .add_edge("draft", "ask")
    .compile()
)
graph = StateGraph(State).add_node("inner", inner).set_entry_point("inner")
