"""Runs until a limit ends it."""

import asyncio

from apps.langgraph.src.core.authoring import get_llm
from langgraph.graph import StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    pause: float
    prompt: str


async def wait(state: State) -> State:
    await asyncio.sleep(state.get("pause", 0))
    if prompt := state.get("prompt"):
        await get_llm(__file__).ainvoke(prompt)
    return {}


graph = StateGraph(State).add_node(wait).set_entry_point("wait").add_edge("wait", "wait")
