"""Has a reducer that fails with a message that clients must not see in production."""

from typing import Annotated

from langgraph.graph import StateGraph
from typing_extensions import TypedDict


def refuse(old: int, new: int) -> int:
    if new:
        raise ValueError("the password is swordfish")
    return old


class State(TypedDict, total=False):
    number: Annotated[int, refuse]


def keep(state: State) -> State:
    return {}


graph = StateGraph(State).add_node(keep).set_entry_point("keep")
