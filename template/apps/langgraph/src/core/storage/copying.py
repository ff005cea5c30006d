"""Copies the checkpoints of a thread."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple


async def copy_checkpoints(
    checkpointer: BaseCheckpointSaver[Any], source: str, target: str
) -> None:
    """Copy all checkpoints of the thread `source`, with their pending writes, to `target`."""
    thread: RunnableConfig = {"configurable": {"thread_id": source}}
    async for found in checkpointer.alist(thread):
        await _copy(checkpointer, found, target)


async def _copy(
    checkpointer: BaseCheckpointSaver[Any], found: CheckpointTuple, target: str
) -> None:
    place = {**found.config["configurable"], "thread_id": target, "checkpoint_id": None}
    if found.parent_config:
        place["checkpoint_id"] = found.parent_config["configurable"]["checkpoint_id"]
    made = await checkpointer.aput(
        {"configurable": place},
        found.checkpoint,
        found.metadata,
        found.checkpoint["channel_versions"],
    )
    writes: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in found.pending_writes or ():
        writes.setdefault(task_id, []).append((channel, value))
    for task_id, of_task in writes.items():
        await checkpointer.aput_writes(made, of_task, task_id)
