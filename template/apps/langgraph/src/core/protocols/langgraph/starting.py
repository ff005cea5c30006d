"""Starts runs as the protocol's requests describe them."""

from collections.abc import Sequence
from uuid import UUID

from apps.langgraph.src.core.protocols.dependencies import find_agent
from apps.langgraph.src.core.protocols.errors import CheckpointNotFoundError
from apps.langgraph.src.core.protocols.inputs import (
    check_checkpoint,
    check_context,
    check_input,
    check_resume,
)
from apps.langgraph.src.core.protocols.langgraph.schemas import Checkpoint, RunCreate
from apps.langgraph.src.core.runs.rollback import roll_back
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.webhooks import check_target
from apps.langgraph.src.core.security.identity import User
from apps.langgraph.src.core.storage.records import Run, RunRequest
from apps.langgraph.src.core.storage.threads import ThreadNotFoundError


async def start_run(
    runner: Runner,
    user: User,
    body: RunCreate,
    thread_id: UUID | None = None,
    modes: Sequence[str] | None = None,
) -> Run:
    """Validate a request and start its run, on a new thread without `thread_id`.

    `modes` replaces the request's stream modes.
    """
    agent = await find_agent(runner, user, body.assistant_id)
    check_input(agent, body.input)
    if body.webhook:
        check_target(body.webhook, runner.settings)
    at = body.checkpoint or Checkpoint(checkpoint_id=body.checkpoint_id)
    places: dict[str, str] = {}
    if thread_id:
        places = await _prepare(runner, user, body, str(thread_id), at)
    elif at.checkpoint_id:
        raise CheckpointNotFoundError
    if modes is None:
        modes = [body.stream_mode] if isinstance(body.stream_mode, str) else body.stream_mode
    request = RunRequest(
        agent=agent.name,
        input=body.input,
        command=body.command.model_dump(exclude_none=True) if body.command else None,
        config=body.config.model_dump(exclude_none=True),
        context=body.context,
        stream_modes=list(modes),
        subgraphs=body.stream_subgraphs,
        interrupt_before=body.interrupt_before or [],
        interrupt_after=body.interrupt_after or [],
        durability=body.durability,
        checkpoint_id=places.get(""),
        checkpoint_map=places if at.checkpoint_ns else {},
        webhook=body.webhook,
        strategy=body.multitask_strategy or "enqueue",
        metadata=body.metadata or {},
        roles=user.role_names,
    )
    check_context(agent, request)
    return await runner.start(
        request,
        user.id,
        thread_id=str(thread_id) if thread_id else None,
        create_thread=body.if_not_exists == "create",
        ephemeral=thread_id is None and body.on_completion == "delete",
    )


async def _prepare(
    runner: Runner, user: User, body: RunCreate, thread_id: str, at: Checkpoint
) -> dict[str, str]:
    """Check the run's checkpoint and decision; roll back the runs that it replaces.

    Returns the checkpoint as `check_checkpoint` does.
    """
    places: dict[str, str] = {}
    resume = body.command.resume if body.command else None
    if resume is None and not at.checkpoint_id and body.multitask_strategy != "rollback":
        return places
    try:
        await runner.storage.threads.get(thread_id, user.id)
    except ThreadNotFoundError:
        if at.checkpoint_id:
            raise CheckpointNotFoundError from None
        # The runner creates the thread or raises.
        return places
    if at.checkpoint_id:
        places = await check_checkpoint(runner, thread_id, at.checkpoint_id, at.checkpoint_ns or "")
    if resume is not None:
        await check_resume(runner, body.assistant_id, thread_id, resume)
    if body.multitask_strategy == "rollback":
        # Newest first: a waiting run must not start when the one before it ends.
        for run_id in sorted(await runner.storage.runs.active_on(thread_id), reverse=True):
            await roll_back(runner, await runner.storage.runs.get(run_id))
    return places
