"""Misbehaves: ends its process, or blocks a thread until other runs arrive."""

import sys
import threading
from collections import defaultdict
from functools import partial
from operator import add
from typing import Annotated

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    how: str
    parties: int
    messages: Annotated[list, add]


class Panic(BaseException):
    """Like the panics of libraries written in Rust."""


@tool
async def leave() -> str:
    """End the process."""
    sys.exit(3)


@tool
def leave_thread() -> str:
    """End the process from a thread."""
    sys.exit(3)


# Blocks until all have arrived.
meeting = defaultdict(partial(threading.Barrier, 40, timeout=30))


def begin(state: State) -> State:
    call = {"name": state["how"], "args": {}, "id": "1"}
    return {"messages": [AIMessage("", tool_calls=[call])]}


async def exits(state: State) -> State:
    sys.exit("usage: agent [-h]")


def exits_in_thread(state: State) -> State:
    raise KeyboardInterrupt


async def panics(state: State) -> State:
    raise Panic("index out of bounds")


def meets(state: State) -> State:
    meeting[state["how"]].wait()
    return {"messages": ["met"]}


def beside(state: State) -> State:
    return {"messages": ["beside"]}


def where(state: State) -> list[str]:
    how = state["how"]
    if how.startswith("leave"):
        return ["tools"]
    return [how.removeprefix("beside "), "beside"] if how.startswith("beside") else [how]


graph = StateGraph(State)
for node in (begin, exits, exits_in_thread, panics, meets, beside):
    graph.add_node(node)
graph.add_node("tools", ToolNode([leave, leave_thread]))
graph.set_entry_point("begin").add_conditional_edges("begin", where)
