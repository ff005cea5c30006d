"""An agent without messages: it returns a report on its prompt."""

from typing import Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class Input(TypedDict):
    """The report's subject."""

    prompt: str


class State(Input):
    """The report, and a note that is not part of it."""

    note: str
    subject: str
    pages: int
    orders: list[dict[str, Any]]


class Report(TypedDict):
    """What the agent returns."""

    subject: str
    pages: int
    orders: list[dict[str, Any]]


def write(state: State) -> dict[str, Any]:
    """Write a report; a long one has orders."""
    orders = [{"number": 1, "goods": "lamp"}, {"number": 2, "goods": "desk"}]
    long = state["prompt"].startswith("long")
    return {
        "note": "internal",
        "subject": state["prompt"],
        "pages": 3,
        "orders": orders if long else [],
    }


graph = (
    StateGraph(State, input_schema=Input, output_schema=Report)
    .add_node("write", write)
    .add_edge(START, "write")
    .compile()
)
