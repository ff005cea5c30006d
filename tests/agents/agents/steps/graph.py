"""A graph with a subgraph of two steps, each of which adds a number that no other call adds.

The subgraph keeps its checkpoints: without that, LangGraph starts it anew from its first step.
"""

from itertools import count
from operator import add
from typing import Annotated

from langgraph.graph import StateGraph
from typing_extensions import TypedDict

numbers = count()


class State(TypedDict, total=False):
    first: Annotated[list[int], add]
    second: Annotated[list[int], add]


def one(state: State) -> State:
    return {"first": [next(numbers)]}


def two(state: State) -> State:
    return {"second": [next(numbers)]}


inner = StateGraph(State).add_node(one).add_node(two)
inner.set_entry_point("one").add_edge("one", "two")
graph = (
    StateGraph(State).add_node("inner", inner.compile(checkpointer=True)).set_entry_point("inner")
)
