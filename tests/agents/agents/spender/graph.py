"""Calls its model, waits for a file `gate`, and calls the model again."""

import asyncio
from pathlib import Path

from apps.langgraph.src.core.authoring import get_llm
from langgraph.graph import StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    gate: str
    said: str


async def call(state: State) -> State:
    return {"said": (await get_llm(__file__).ainvoke("x")).text}


async def wait(state: State) -> State:
    while not Path(state["gate"]).exists():
        await asyncio.sleep(0.02)
    return {}


graph = (
    StateGraph(State)
    .add_node("first", call)
    .add_node(wait)
    .add_node("second", call)
    .set_entry_point("first")
    .add_edge("first", "wait")
    .add_edge("wait", "second")
)
