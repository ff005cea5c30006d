"""The names that agents import and checkpoints store never change."""

import dataclasses
from enum import Enum
from pathlib import Path
from typing import Any

from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from apps.langgraph.src.core import authoring
from apps.langgraph.src.core.agents.registry import AGENTS_PACKAGE
from apps.langgraph.src.core.authoring import Approval
from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer

# Never changed: every agent of a customer imports from here.
SURFACE = {
    "Approval",
    "McpError",
    "McpTools",
    "agent_tool",
    "get_llm",
    "load_prompt",
    "mcp_tools",
    "request_approval",
}
# Never changed: checkpoints of older releases name these classes.
STORED = {"Approval": "apps.langgraph.src.core.authoring.approval"}


class State(TypedDict, total=False):
    approval: Approval


def decide(state: State) -> State:
    return {"approval": Approval(True, {"order": "A-7"})}


def test_agents_import_these_names() -> None:
    assert set(authoring.__all__) == SURFACE


def test_checkpoints_store_these_names() -> None:
    exported = {name: getattr(authoring, name) for name in authoring.__all__}
    stored = {name: value.__module__ for name, value in exported.items() if is_stored(value)}
    assert stored == STORED
    assert AGENTS_PACKAGE == "apps.langgraph.src.agents"


def is_stored(value: Any) -> bool:
    """Whether LangGraph stores objects of a class by its name."""
    return isinstance(value, type) and (
        dataclasses.is_dataclass(value) or issubclass(value, BaseModel | Enum | tuple)
    )


async def test_an_approval_is_read_from_a_checkpoint(tmp_path: Path) -> None:
    config: Any = {"configurable": {"thread_id": "1"}}
    builder = StateGraph(State).add_node(decide).add_edge(START, "decide")
    async with open_checkpointer(f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db") as saver:
        await setup_checkpointer(saver)
        graph = builder.compile(checkpointer=saver)
        await graph.ainvoke({}, config)
        state = await graph.aget_state(config)
    assert state.values["approval"] == Approval(True, {"order": "A-7"})
    assert STORED["Approval"].encode() in stored_in(tmp_path)


def stored_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("checkpoints.db*"))
