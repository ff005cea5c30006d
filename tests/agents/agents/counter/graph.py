"""Counts to `to`, and records each execution of a step in the file `journal`, if given.

Every step is a checkpoint, so the journal shows steps that ran twice.
"""

import asyncio
import os
from operator import add
from pathlib import Path
from typing import Annotated

from langgraph.graph import END, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    name: str
    to: int
    pause: float
    journal: str
    counted: Annotated[list[int], add]


async def step(state: State) -> State:
    number = len(state.get("counted", []))
    if path := state.get("journal"):
        # One write, appended: whole even when the process is killed.
        with Path(path).open("ab", buffering=0) as journal:
            journal.write(f"{state['name']} {number} {os.getpid()}\n".encode())
    await asyncio.sleep(state.get("pause", 0.02))
    return {"counted": [number]}


def more(state: State) -> str:
    return "step" if len(state["counted"]) < state["to"] else END


graph = StateGraph(State).add_node(step).set_entry_point("step").add_conditional_edges("step", more)
