"""Undoes a run: its thread returns to the state before it."""

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from apps.langgraph.src.core.runs.following import wait_for_end
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.runs import ThreadBusyError


async def roll_back(runner: Runner, run: Run) -> None:
    """Cancel a run, restore its thread to the state before it, and delete the run.

    A finished run stays. Raises `ShuttingDownError`, and `ThreadBusyError` while another run is
    queued behind it.
    """
    if not run.active:
        return
    if any(other > run.run_id for other in await runner.storage.runs.active_on(run.thread_id)):
        # The other run would start with a state that is about to be undone.
        raise ThreadBusyError
    await runner.cancel(run.run_id)
    if not (await wait_for_end(runner, run)).was_cancelled:
        return
    storage = runner.storage
    thread: RunnableConfig = {"configurable": {"thread_id": run.thread_id, "checkpoint_ns": ""}}
    first: CheckpointTuple | None = None
    async for made in storage.checkpointer.alist(thread, filter={"run_id": run.run_id}):
        first = made  # newest first
    if first and first.parent_config:
        # Checkpointers cannot delete single checkpoints, so an earlier one is copied to the end.
        graph = runner.graph(run.agent)
        await graph.aupdate_state(first.parent_config, None, as_node="__copy__")
    elif first:
        await storage.checkpointer.adelete_thread(run.thread_id)
    await storage.runs.delete(run.run_id)
    await runner.restore(run.thread_id, run.agent)
