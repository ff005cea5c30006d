"""LangGraph's states in the protocol's form."""

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from apps.langgraph.src.core.protocols.langgraph.schemas import Checkpoint
from shared.logging import redact_text
from shared.settings import get_settings


def to_state(snapshot: StateSnapshot) -> dict[str, Any]:
    """A `ThreadState`, as values for `dumps`."""
    return {
        "values": snapshot.values,
        "next": list(snapshot.next),
        "tasks": [_task(task) for task in snapshot.tasks],
        "checkpoint": _checkpoint(snapshot.config),
        "metadata": snapshot.metadata,
        "created_at": snapshot.created_at,
        "parent_checkpoint": _checkpoint(snapshot.parent_config),
        "interrupts": list(snapshot.interrupts),
    }


def empty_state(thread_id: str) -> dict[str, Any]:
    """The state of a thread without runs."""
    checkpoint = {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": None}
    return {
        "values": {},
        "next": [],
        "tasks": [],
        "checkpoint": checkpoint,
        "metadata": {},
        "created_at": None,
        "parent_checkpoint": None,
        "interrupts": [],
    }


def to_config(thread_id: str, checkpoint: Checkpoint | None = None) -> RunnableConfig:
    """LangGraph's config for a checkpoint of the thread, by default the latest."""
    configurable: dict[str, Any] = {"thread_id": thread_id, "checkpoint_ns": ""}
    if checkpoint:
        configurable["checkpoint_ns"] = checkpoint.checkpoint_ns or ""
        if checkpoint.checkpoint_id:
            configurable["checkpoint_id"] = checkpoint.checkpoint_id
        if checkpoint.checkpoint_map:
            configurable["checkpoint_map"] = checkpoint.checkpoint_map
    return {"configurable": configurable}


def to_checkpoint(config: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol's form of a checkpoint's config."""
    configurable = config["configurable"]
    return {
        "thread_id": configurable["thread_id"],
        "checkpoint_ns": configurable.get("checkpoint_ns", ""),
        "checkpoint_id": configurable.get("checkpoint_id"),
        "checkpoint_map": configurable.get("checkpoint_map") or {},
    }


def _checkpoint(config: RunnableConfig | None) -> dict[str, Any] | None:
    return to_checkpoint(config) if config else None


def _error(error: Any) -> str | None:
    """The error's type and redacted text, as LangGraph stores it; in production only its type."""
    if error is None:
        return None
    text = error if isinstance(error, str) else repr(error)
    development = get_settings().environment == "development"
    return redact_text(text) if development else text.partition("(")[0]


def _task(task: Any) -> dict[str, Any]:
    nested = task.state
    return {
        "id": task.id,
        "name": task.name,
        "path": list(task.path),
        "error": _error(task.error),
        "interrupts": list(task.interrupts),
        "checkpoint": to_checkpoint(nested) if isinstance(nested, dict) else None,
        "state": to_state(nested) if isinstance(nested, StateSnapshot) else None,
        "result": task.result,
    }
