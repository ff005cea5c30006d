"""Runs: start, follow, join and cancel."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Query, Response
from langgraph_sdk.schema import RunStatus

from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, CurrentThread
from apps.langgraph.src.core.protocols.errors import STARTS_RUN, problems
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph import schemas
from apps.langgraph.src.core.protocols.langgraph.run_responses import (
    joined,
    streamed,
    to_run,
)
from apps.langgraph.src.core.protocols.langgraph.starting import start_run
from apps.langgraph.src.core.protocols.responses import JsonResponse, location_headers
from apps.langgraph.src.core.runs.following import wait_for_end
from apps.langgraph.src.core.runs.rollback import roll_back
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
    return joined(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


@router.post(f"{STATELESS}/wait", response_model=Any, **STARTS)
async def wait_for_stateless_run(
    body: schemas.RunCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Start a run on a new thread; respond at its end with its values, or with `__error__`."""
    run = await start_run(runner, user, body, modes=())
    return joined(runner, run, cancel_on_disconnect=body.on_disconnect == "cancel")


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


@router.get(ON_THREAD, response_model=list[schemas.Run | schemas.Selected], responses=problems(404))
async def list_runs(
    thread: CurrentThread,
    runner: CurrentRunner,
    limit: schemas.QueryLimit = 10,
    offset: schemas.QueryOffset = 0,
    status: RunStatus | None = None,
    select: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """The runs of a thread, newest first; `select` limits them to some fields."""
    runs = await runner.storage.runs.of_thread(
        thread.thread_id, status=status, limit=limit, offset=offset
    )
    shown = [to_run(run) for run in runs]
    return JsonResponse([{key: run[key] for key in select or run if key in run} for run in shown])


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
async def join_run(
    run: CurrentRun, runner: CurrentRunner, cancel_on_disconnect: bool = False
) -> Response:
    """The thread's values once the run has ended, or `__error__`."""
    return joined(runner, run, cancel_on_disconnect=cancel_on_disconnect)


@router.get(f"{ONE_RUN}/stream", response_class=Response, responses={**problems(404), **STREAM})
async def join_run_stream(
    run: CurrentRun,
    runner: CurrentRunner,
    stream_mode: Annotated[list[str] | None, Query()] = None,
    cancel_on_disconnect: bool = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """The events of a run after `Last-Event-ID`; all if that is none of this service."""
    known = re.fullmatch(r"[0-9]{1,19}", last_event_id or "")
    return streamed(
        runner,
        run,
        # Larger numbers do not fit the databases' integers.
        after=min(int(known[0]), 2**63 - 1) if known else 0,
        only=_modes(stream_mode or ()),
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


def _modes(values: Iterable[str]) -> list[str]:
    """The modes of a query: the SDK of JavaScript sends a JSON list, that of Python repeats them.

    Empty means all; that is also what an empty mode means.
    """
    modes: list[str] = []
    for value in values:
        try:
            listed = orjson.loads(value)
        except orjson.JSONDecodeError:
            listed = [value]
        modes += [mode for mode in listed if mode] if isinstance(listed, list) else [value]
    return modes
