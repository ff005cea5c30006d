"""Asks two questions at once."""

from operator import add
from typing import Annotated

from langgraph.graph import StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    prompt: str
    answers: Annotated[list[str], add]


def name(state: State) -> State:
    return {"answers": [interrupt("Your name?")]}


def town(state: State) -> State:
    return {"answers": [interrupt("Your town?")]}


graph = StateGraph(State).add_node(name).add_node(town)
graph.set_entry_point("name").set_entry_point("town")
