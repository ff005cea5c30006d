"""Never ends by itself: only a limit can end it."""

import asyncio

from langgraph.graph import StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    pause: float


async def wait(state: State) -> State:
    await asyncio.sleep(state.get("pause", 0))
    return {}


graph = StateGraph(State).add_node(wait).set_entry_point("wait").add_edge("wait", "wait")
