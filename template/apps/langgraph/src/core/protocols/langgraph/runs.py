"""Runs: start, follow, join and cancel."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from langgraph_sdk.schema import RunStatus

from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, CurrentThread
from apps.langgraph.src.core.protocols.errors import STARTS_RUN, problems
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph import schemas
from apps.langgraph.src.core.protocols.langgraph.run_responses import (
    joined,
    location_headers,
    streamed,
    to_run,
)
from apps.langgraph.src.core.protocols.langgraph.starting import start_run
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.following import wait_for_end
from apps.langgraph.src.core.runs.rollback import roll_back
from apps.langgraph.src.core.runs.stream import StreamMode
from apps.langgraph.src.core.security.identity import CurrentUser
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.runs import ThreadBusyError

router = APIRouter(tags=["runs"], route_class=JsonRoute)

ON_THREAD, STATELESS = "/threads/{thread_id}/runs", "/runs"
ONE_RUN = "/threads/{thread_id}/runs/{run_id}"

# Options of routes that start a run.
STARTS: dict[str, Any] = {
    "responses": problems(*STARTS_RUN),
    "dependencies": [Depends(count_run)],
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}
}
STARTS_STREAM = {
    **STARTS,
    "response_class": Response,
    "responses": {**STARTS["responses"], **STREAM},
}


@router.post(ON_THREAD, response_model=schemas.Run, **STARTS)
async def create_run(
    thread_id: UUID, body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run in the background."""
    run = await start_run(runner, user, body, thread_id)
    return JsonResponse(to_run(run), headers=location_headers(run))


@router.post(STATELESS, response_model=schemas.Run, **STARTS)
async def create_stateless_run(
    body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run on a new thread in the background."""
    run = await start_run(runner, user, body)
    return JsonResponse(to_run(run), headers=location_headers(run))


@router.post(f"{ON_THREAD}/wait", response_model=Any, **STARTS)
async def wait_for_run(
    thread_id: UUID, body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run; respond at its end with the thread's values, or with `__error__`."""
    run = await start_run(runner, user, body, thread_id, modes=())
    return await joined(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(f"{STATELESS}/wait", response_model=Any, **STARTS)
async def wait_for_stateless_run(
    body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run on a new thread; respond at its end with its values, or with `__error__`."""
    run = await start_run(runner, user, body, modes=())
    return await joined(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(f"{ON_THREAD}/stream", **STARTS_STREAM)
async def stream_run(
    thread_id: UUID, body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run and stream its events."""
    run = await start_run(runner, user, body, thread_id)
    return streamed(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(f"{STATELESS}/stream", **STARTS_STREAM)
async def stream_stateless_run(
    body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run on a new thread and stream its events."""
    run = await start_run(runner, user, body)
    return streamed(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.get(ON_THREAD, response_model=list[schemas.Run], responses=problems(404))
async def list_runs(
    thread: CurrentThread,
    runner: CurrentRunner,
    limit: schemas.QueryLimit = 10,
    offset: schemas.QueryOffset = 0,
    status: RunStatus | None = None,
) -> Response:
    """The runs of a thread, newest first."""
    runs = await runner.storage.runs.of_thread(
        thread.thread_id, status=status, limit=limit, offset=offset
    )
    return JsonResponse([to_run(run) for run in runs])


async def find_run(run_id: UUID, thread: CurrentThread, runner: CurrentRunner) -> Run:
    """The run in the path. Raises `RunNotFoundError`."""
    return await runner.storage.runs.get(str(run_id), thread.thread_id)


CurrentRun = Annotated[Run, Depends(find_run)]


@router.get(ONE_RUN, response_model=schemas.Run, responses=problems(404))
async def get_run(run: CurrentRun) -> Response:
    """A run."""
    return JsonResponse(to_run(run))


@router.delete(ONE_RUN, status_code=204, responses=problems(404, 409))
async def delete_run(run: CurrentRun, runner: CurrentRunner) -> None:
    """Delete a finished run; the thread keeps its checkpoints."""
    if run.active:
        raise ThreadBusyError
    await runner.storage.runs.delete(run.run_id)


@router.get(f"{ONE_RUN}/join", response_model=Any, responses=problems(404, 503))
async def join_run(run: CurrentRun, runner: CurrentRunner) -> Response:
    """The thread's values once the run has ended, or `__error__`."""
    return await joined(runner, run)


@router.get(f"{ONE_RUN}/stream", response_class=Response, responses={**problems(404), **STREAM})
async def join_run_stream(
    run: CurrentRun,
    runner: CurrentRunner,
    stream_mode: Annotated[list[StreamMode | Literal[""]] | None, Query()] = None,
    cancel_on_disconnect: bool = False,
    last_event_id: Annotated[str | None, Header(pattern=r"^-?[0-9]{1,19}$")] = None,
) -> Response:
    """The events of a run, from the first one or from the one after `Last-Event-ID`."""
    return streamed(
        runner,
        run,
        # Larger numbers do not fit the databases' integers.
        after=min(max(0, int(last_event_id or 0)), 2**63 - 1),
        # The SDK sends an empty mode for "all".
        only=[mode for mode in stream_mode or () if mode],
        cancel_on_disconnect=cancel_on_disconnect,
    )


@router.post(
    f"{ONE_RUN}/cancel",
    status_code=202,
    response_class=Response,
    responses={**problems(404, 409, 503), 204: {"description": "The run has ended"}},
)
async def cancel_run(
    run: CurrentRun,
    runner: CurrentRunner,
    wait: bool = False,
    action: Literal["interrupt", "rollback"] = "interrupt",
) -> Response:
    """Cancel a run, or roll it back; with `wait` respond once it has ended."""
    if action == "rollback":
        await roll_back(runner, run)
    else:
        await runner.cancel(run.run_id)
        if wait:
            await wait_for_end(runner, run)
    return Response(status_code=204 if wait else 202)
