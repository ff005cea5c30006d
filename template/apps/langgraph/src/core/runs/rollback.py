"""Undoes a run: its thread is as if the run had never been."""

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.runs import ThreadBusyError


async def roll_back(engine: Engine, run: Run) -> None:
    """End a run, put its thread back to where the run began, and remove the run.

    One that has ended by itself stays. Raises `ShuttingDownError`, and `ThreadBusyError` while
    another run waits behind it.
    """
    if not run.active:
        return
    if any(other > run.run_id for other in await engine.storage.runs.active_on(run.thread_id)):
        # It would begin with what is about to be undone.
        raise ThreadBusyError
    await engine.cancel(run.run_id)
    if (await engine.wait_end(run)).status != "interrupted":
        return
    storage = engine.storage
    thread: RunnableConfig = {"configurable": {"thread_id": run.thread_id, "checkpoint_ns": ""}}
    first: CheckpointTuple | None = None
    async for made in storage.checkpointer.alist(thread, filter={"run_id": run.run_id}):
        first = made  # the newest come first
    if first and first.parent_config:
        # Checkpointers cannot remove single checkpoints; a copy of an earlier one is the latest.
        graph = engine.graph(run.agent)
        await graph.aupdate_state(first.parent_config, None, as_node="__copy__")
    elif first:
        await storage.checkpointer.adelete_thread(run.thread_id)
    await storage.runs.delete(run.run_id)
    await engine.restore(run.thread_id, run.agent)
