"""Runs: started, followed, joined and cancelled."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from apps.langgraph.src.core.routes.answers import (
    EventStream,
    JsonResponse,
    encode,
    in_one_piece,
    run_events,
)
from apps.langgraph.src.core.routes.context import CurrentEngine, CurrentThread, find_agent
from apps.langgraph.src.core.routes.errors import STARTS_RUN, CheckpointNotFoundError, responses
from apps.langgraph.src.core.routes.inputs import check_checkpoint, check_input, check_resume
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.routes.protocol import models
from apps.langgraph.src.core.runs.engine import Engine, Result
from apps.langgraph.src.core.runs.rollback import roll_back
from apps.langgraph.src.core.runs.stream import INTERRUPT, StreamMode
from apps.langgraph.src.core.runs.webhooks import check_target
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import Run, RunRequest, RunStatus
from apps.langgraph.src.core.storage.runs import ThreadBusyError
from apps.langgraph.src.core.storage.threads import ThreadNotFoundError

router = APIRouter(tags=["runs"], route_class=JsonRoute)

STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}
}
starts_run = [Depends(count_run)]


@router.post(
    "/threads/{thread_id}/runs",
    response_model=models.Run,
    responses=responses(*STARTS_RUN),
    dependencies=starts_run,
)
async def create_run(
    thread_id: UUID, body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run in the background."""
    run = await _start(engine, user, body, thread_id, _modes(body))
    return JsonResponse(to_run(run), headers=_headers(run))


@router.post(
    "/runs",
    response_model=models.Run,
    responses=responses(*STARTS_RUN),
    dependencies=starts_run,
)
async def create_stateless_run(
    body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run in the background, on a thread of its own."""
    run = await _start(engine, user, body, None, _modes(body))
    return JsonResponse(to_run(run), headers=_headers(run))


@router.post(
    "/threads/{thread_id}/runs/wait",
    response_model=Any,
    responses=responses(*STARTS_RUN),
    dependencies=starts_run,
)
async def wait_for_run(
    thread_id: UUID, body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run and answer with the thread's values at its end, or with `__error__`."""
    run = await _start(engine, user, body, thread_id, [])
    return await _joined(engine, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(
    "/runs/wait",
    response_model=Any,
    responses=responses(*STARTS_RUN),
    dependencies=starts_run,
)
async def wait_for_stateless_run(
    body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run on a thread of its own and answer with its values, or with `__error__`."""
    run = await _start(engine, user, body, None, [])
    return await _joined(engine, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(
    "/threads/{thread_id}/runs/stream",
    response_class=Response,
    responses={**responses(*STARTS_RUN), **STREAM},
    dependencies=starts_run,
)
async def stream_run(
    thread_id: UUID, body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run and stream its events."""
    run = await _start(engine, user, body, thread_id, _modes(body))
    return _streamed(engine, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(
    "/runs/stream",
    response_class=Response,
    responses={**responses(*STARTS_RUN), **STREAM},
    dependencies=starts_run,
)
async def stream_stateless_run(
    body: models.RunCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Start a run on a thread of its own and stream its events."""
    run = await _start(engine, user, body, None, _modes(body))
    return _streamed(engine, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.get("/threads/{thread_id}/runs", response_model=list[models.Run], responses=responses(404))
async def list_runs(
    thread: CurrentThread,
    engine: CurrentEngine,
    limit: models.QueryLimit = 10,
    offset: models.QueryOffset = 0,
    status: RunStatus | None = None,
) -> Response:
    """The runs of a thread, the newest first."""
    runs = await engine.storage.runs.of_thread(
        thread.thread_id, status=status, limit=limit, offset=offset
    )
    return JsonResponse([to_run(run) for run in runs])


async def find_run(run_id: UUID, thread: CurrentThread, engine: CurrentEngine) -> Run:
    """The run in the path. Raises `RunNotFoundError`."""
    return await engine.storage.runs.get(str(run_id), thread.thread_id)


CurrentRun = Annotated[Run, Depends(find_run)]


@router.get(
    "/threads/{thread_id}/runs/{run_id}", response_model=models.Run, responses=responses(404)
)
async def get_run(run: CurrentRun) -> Response:
    """A run."""
    return JsonResponse(to_run(run))


@router.delete("/threads/{thread_id}/runs/{run_id}", status_code=204, responses=responses(404, 409))
async def delete_run(run: CurrentRun, engine: CurrentEngine) -> None:
    """Remove a finished run; the thread keeps what the run did."""
    if run.active:
        raise ThreadBusyError
    await engine.storage.runs.delete(run.run_id)


@router.get(
    "/threads/{thread_id}/runs/{run_id}/join",
    response_model=Any,
    responses=responses(404, 503),
)
async def join_run(run: CurrentRun, engine: CurrentEngine) -> Response:
    """The thread's values once a run has ended, or `__error__`."""
    return await _joined(engine, run)


@router.get(
    "/threads/{thread_id}/runs/{run_id}/stream",
    response_class=Response,
    responses={**responses(404), **STREAM},
)
async def join_run_stream(
    run: CurrentRun,
    engine: CurrentEngine,
    stream_mode: Annotated[list[StreamMode | Literal[""]] | None, Query()] = None,
    cancel_on_disconnect: bool = False,
    last_event_id: Annotated[str | None, Header(pattern=r"^-?[0-9]{1,19}$")] = None,
) -> Response:
    """The events of a run from the first, or from after `Last-Event-ID`, to the last."""
    return _streamed(
        engine,
        run,
        # Larger numbers do not fit the databases' integers.
        after=min(max(0, int(last_event_id or 0)), 2**63 - 1),
        # The SDK sends an empty one for "all".
        only=[mode for mode in stream_mode or () if mode],
        cancel_on_disconnect=cancel_on_disconnect,
    )


@router.post(
    "/threads/{thread_id}/runs/{run_id}/cancel",
    status_code=202,
    response_class=Response,
    responses={**responses(404, 409, 503), 204: {"description": "The run has ended"}},
)
async def cancel_run(
    run: CurrentRun,
    engine: CurrentEngine,
    wait: bool = False,
    action: Literal["interrupt", "rollback"] = "interrupt",
) -> Response:
    """End a run, or undo it as well; with `wait` the answer comes when it has ended."""
    if action == "rollback":
        await roll_back(engine, run)
        return Response(status_code=204 if wait else 202)
    await engine.cancel(run.run_id)
    if wait:
        await engine.wait_end(run)
    return Response(status_code=204 if wait else 202)


def to_run(run: Run) -> dict[str, Any]:
    """A `models.Run`, as values that `dumps` encodes."""
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "assistant_id": run.agent,
        "status": run.status,
        "metadata": run.metadata,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "multitask_strategy": run.request.strategy,
        "error": run.error,
        "usage": run.usage,
    }


def _modes(body: models.RunCreate) -> list[str]:
    modes = body.stream_mode
    return [modes] if isinstance(modes, str) else list(modes)


async def _start(
    engine: Engine,
    user: User,
    body: models.RunCreate,
    thread_id: UUID | None,
    modes: Sequence[str],
) -> Run:
    agent = await find_agent(engine, user, body.assistant_id)
    check_input(agent, body.input)
    if body.webhook:
        check_target(body.webhook, engine.settings)
    checkpoint_id = body.checkpoint.checkpoint_id if body.checkpoint else body.checkpoint_id
    if thread_id:
        await _prepare(engine, user, body, str(thread_id), checkpoint_id)
    elif checkpoint_id:
        raise CheckpointNotFoundError
    command = body.command.model_dump(exclude_none=True) if body.command else None
    request = RunRequest(
        agent=agent.name,
        input=body.input,
        command=command,
        config=body.config.model_dump(exclude_none=True),
        context=body.context,
        stream_modes=list(modes),
        subgraphs=body.stream_subgraphs,
        interrupt_before=body.interrupt_before or [],
        interrupt_after=body.interrupt_after or [],
        durability=body.durability,
        checkpoint_id=checkpoint_id,
        webhook=body.webhook,
        strategy=body.multitask_strategy or "reject",
        metadata=body.metadata or {},
        roles=user.role_names,
    )
    return await engine.start(
        request,
        user.id,
        thread_id=str(thread_id) if thread_id else None,
        create_thread=body.if_not_exists == "create",
        ephemeral=thread_id is None and body.on_completion == "delete",
    )


async def _prepare(
    engine: Engine,
    user: User,
    body: models.RunCreate,
    thread_id: str,
    checkpoint_id: str | None,
) -> None:
    """Check from where the run is to go on and what it answers; undo the runs that it replaces."""
    resume = body.command.resume if body.command else None
    if resume is None and checkpoint_id is None and body.multitask_strategy != "rollback":
        return
    try:
        await engine.storage.threads.get(thread_id, user.id)
    except ThreadNotFoundError:
        if checkpoint_id:
            raise CheckpointNotFoundError from None
        # The engine says so, or makes it.
        return
    if checkpoint_id:
        await check_checkpoint(engine, thread_id, checkpoint_id)
    if resume is not None:
        await check_resume(engine, body.assistant_id, thread_id, resume)
    if body.multitask_strategy == "rollback":
        # The newest first: what waits must not start when the one before it ends.
        for run_id in sorted(await engine.storage.runs.active_on(thread_id), reverse=True):
            await roll_back(engine, await engine.storage.runs.get(run_id))


async def _joined(engine: Engine, run: Run, *, cancel_on_disconnect: bool = False) -> Response:
    async def answer() -> Any:
        return _values(await engine.wait(run))

    def abandoned() -> None:
        if cancel_on_disconnect:
            engine.cancel_soon(run.run_id)

    return await in_one_piece(answer, _headers(run, "join"), abandoned)


def _values(result: Result) -> Any:
    if result.run.error:
        return {"__error__": result.run.error}
    if result.interrupts and isinstance(result.values, dict):
        return {**result.values, INTERRUPT: result.interrupts}
    return result.values


def _streamed(
    engine: Engine,
    run: Run,
    *,
    after: int = 0,
    only: Sequence[str] = (),
    cancel_on_disconnect: bool = False,
) -> Response:
    names = {"messages" if mode == "messages-tuple" else mode for mode in only}
    names |= {"metadata", "error", "end"}

    async def body() -> AsyncGenerator[bytes]:
        async for batch in run_events(
            engine, run, after, cancel_on_disconnect=cancel_on_disconnect
        ):
            wanted = (
                encode(event.name, event.data, event.id)
                for event in batch
                if not only or event.name.split("|")[0].split("/")[0] in names
            )
            yield b"".join(wanted) or b": alive\n\n"

    return EventStream(body(), _headers(run, "stream"))


def _headers(run: Run, then: str = "") -> dict[str, str]:
    """Where the run is, and where a client whose connection broke finds its end."""
    place = f"/threads/{run.thread_id}/runs/{run.run_id}"
    return {"Content-Location": place, **({"Location": f"{place}/{then}"} if then else {})}
