"""Interrupts its run for a decision, then continues."""

from langgraph.graph import StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    prompt: str
    draft: str
    verdict: str


def draft(state: State) -> State:
    return {"draft": state["prompt"].upper()}


def approve(state: State) -> State:
    return {"verdict": interrupt({"approve": state["draft"]})}


graph = (
    StateGraph(State)
    .add_node(draft)
    .add_node(approve)
    .set_entry_point("draft")
    .add_edge("draft", "approve")
)
