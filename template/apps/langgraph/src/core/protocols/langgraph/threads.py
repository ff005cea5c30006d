"""Threads and their states."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, HTTPException, Response
from langgraph.errors import InvalidUpdateError

from apps.langgraph.src.core.agents.registry import AgentNotFoundError, AgentUnavailableError
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, CurrentThread, find_agent
from apps.langgraph.src.core.protocols.errors import ForbiddenError, problems
from apps.langgraph.src.core.protocols.inputs import check_checkpoint
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph import schemas
from apps.langgraph.src.core.protocols.langgraph.pages import page_of
from apps.langgraph.src.core.protocols.langgraph.states import (
    empty_state,
    to_checkpoint,
    to_config,
    to_state,
)
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.following import wait_for_end
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.copying import copy_checkpoints
from apps.langgraph.src.core.storage.records import Thread, contains, new_id
from apps.langgraph.src.core.storage.runs import ThreadBusyError
from shared.settings import get_settings

NO_AGENT = (
    "The thread has no associated graph: start a run on it, or set `graph_id` in its metadata."
)

router = APIRouter(prefix="/threads", tags=["threads"], route_class=JsonRoute)


@router.post("", response_model=schemas.Thread, responses=problems(409, 413))
async def create_thread(
    body: schemas.ThreadCreate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """A new thread of the user."""
    thread = await runner.storage.threads.create(
        user.id,
        thread_id=str(body.thread_id) if body.thread_id else None,
        metadata=body.metadata,
        exist_ok=body.if_exists == "do_nothing",
    )
    return JsonResponse(await _to_thread(runner, user, thread))


@router.post(
    "/search",
    response_model=list[schemas.Thread | schemas.Selected],
    responses=problems(413),
)
async def search_threads(
    query: schemas.ThreadSearch, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """The user's threads."""
    sort_by = "updated_at" if query.sort_by == "state_updated_at" else query.sort_by
    threads = await runner.storage.threads.search(
        user.id,
        ids=None if query.ids is None else [str(thread_id) for thread_id in query.ids],
        metadata=query.metadata,
        status=query.status,
        sort_by=sort_by,
        descending=query.sort_order == "desc",
        limit=query.limit + 1,
        offset=query.offset,
    )
    threads, headers = page_of(threads, query.limit, query.offset)
    with_state = query.select is None or {"values", "interrupts"} & set(query.select)
    shown = await asyncio.gather(
        *(_to_thread(runner, user, thread, with_state=bool(with_state)) for thread in threads)
    )
    if query.select is not None:
        wanted = set(query.select)
        shown = [{key: one[key] for key in one if key in wanted} for one in shown]
    return JsonResponse(shown, headers=headers)


@router.post("/count", responses=problems(413))
async def count_threads(
    query: schemas.ThreadCount, user: CurrentUser, runner: CurrentRunner
) -> int:
    """The number of threads that a search would find."""
    return await runner.storage.threads.count(user.id, metadata=query.metadata, status=query.status)


@router.get("/{thread_id}", response_model=schemas.Thread, responses=problems(404))
async def get_thread(thread: CurrentThread, user: CurrentUser, runner: CurrentRunner) -> Response:
    """A thread with its latest values."""
    return JsonResponse(await _to_thread(runner, user, thread))


@router.patch(
    "/{thread_id}",
    response_model=schemas.Thread,
    responses={**problems(404, 413), 204: {"description": "Changed"}},
)
async def update_thread(
    thread_id: UUID,
    body: schemas.ThreadPatch,
    user: CurrentUser,
    runner: CurrentRunner,
    prefer: Annotated[str | None, Header()] = None,
) -> Response:
    """Merge metadata into a thread's; `Prefer: return=minimal` responds without the thread."""
    thread = await runner.storage.threads.update_metadata(str(thread_id), user.id, body.metadata)
    if prefer == "return=minimal":
        return Response(status_code=204)
    return JsonResponse(await _to_thread(runner, user, thread))


@router.delete("/{thread_id}", status_code=204, responses=problems(404, 503))
async def delete_thread(thread: CurrentThread, runner: CurrentRunner) -> None:
    """Delete a thread with its runs and checkpoints; active runs are cancelled."""
    for run_id in await runner.storage.runs.active_on(thread.thread_id):
        await runner.cancel(run_id)
        # Until it has ended, even on another replica, it may write checkpoints.
        await wait_for_end(runner, await runner.storage.runs.get(run_id))
    await runner.storage.delete_threads([thread.thread_id])


@router.post("/{thread_id}/copy", response_model=schemas.Thread, responses=problems(404, 409))
async def copy_thread(thread: CurrentThread, user: CurrentUser, runner: CurrentRunner) -> Response:
    """A new thread with the checkpoints of an idle one, without its runs."""
    storage, copied = runner.storage, new_id()
    if await storage.runs.active_on(thread.thread_id):
        raise ThreadBusyError
    await copy_checkpoints(storage.checkpointer, thread.thread_id, copied)
    await storage.threads.create(user.id, thread_id=copied, metadata=thread.metadata)
    await storage.threads.set_status(copied, thread.status, thread.agent)
    return JsonResponse(await _to_thread(runner, user, await storage.threads.get(copied, user.id)))


@router.get(
    "/{thread_id}/state", response_model=schemas.ThreadState, responses=problems(403, 404, 503)
)
async def get_state(
    thread: CurrentThread, user: CurrentUser, runner: CurrentRunner, subgraphs: bool = False
) -> Response:
    """The latest state of a thread."""
    return await _state(runner, user, thread, None, subgraphs=subgraphs)


@router.get(
    "/{thread_id}/state/{checkpoint_id}",
    response_model=schemas.ThreadState,
    responses=problems(403, 404, 503),
)
async def get_state_at(
    thread: CurrentThread,
    checkpoint_id: UUID,
    user: CurrentUser,
    runner: CurrentRunner,
    subgraphs: bool = False,
) -> Response:
    """The state of a thread at a checkpoint."""
    checkpoint = schemas.Checkpoint(checkpoint_id=str(checkpoint_id))
    return await _state(runner, user, thread, checkpoint, subgraphs=subgraphs)


@router.post(
    "/{thread_id}/state/checkpoint",
    response_model=schemas.ThreadState,
    responses=problems(403, 404, 413, 503),
)
async def query_state(
    thread: CurrentThread, query: schemas.CheckpointQuery, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """The state of a thread, or of a subgraph in it, at a checkpoint."""
    return await _state(runner, user, thread, query.checkpoint, subgraphs=query.subgraphs)


@router.post(
    "/{thread_id}/state",
    response_model=schemas.StateUpdated,
    responses=problems(403, 404, 409, 413, 503),
)
async def update_state(
    thread: CurrentThread, body: schemas.StateUpdate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Write values into the state of an idle thread."""
    if await runner.storage.runs.active_on(thread.thread_id):
        raise ThreadBusyError
    agent = thread.agent or str(thread.metadata.get("graph_id", ""))
    if not agent:
        raise HTTPException(400, NO_AGENT)
    await find_agent(runner, user, agent)
    at = body.checkpoint or schemas.Checkpoint(checkpoint_id=body.checkpoint_id)
    if at.checkpoint_id:
        place = at.checkpoint_id, at.checkpoint_ns or ""
        await check_checkpoint(runner, thread.thread_id, *place)
    graph = runner.graph(agent)
    try:
        config = await graph.aupdate_state(
            to_config(thread.thread_id, at), body.values, as_node=body.as_node
        )
    except (InvalidUpdateError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        reason = "The state does not accept these values"
        # Errors of the agent's functions are for its author.
        if isinstance(error, InvalidUpdateError) or get_settings().environment == "development":
            reason += f": {error}"
        raise HTTPException(400, reason) from error
    state = await runner.state(agent, thread.thread_id)
    status = "interrupted" if state.next else "idle"
    await runner.storage.threads.set_status(thread.thread_id, status, agent)
    checkpoint = to_checkpoint(config)
    return JsonResponse({"checkpoint": checkpoint, "configurable": checkpoint})


@router.get(
    "/{thread_id}/history",
    response_model=list[schemas.ThreadState],
    responses=problems(403, 404, 503),
)
async def get_history(
    thread: CurrentThread,
    user: CurrentUser,
    runner: CurrentRunner,
    limit: schemas.QueryLimit = 10,
    before: UUID | None = None,
) -> Response:
    """The states of a thread, newest first."""
    query = schemas.HistoryQuery(limit=limit, before=str(before) if before else None)
    return await query_history(thread, query, user, runner)


@router.post(
    "/{thread_id}/history",
    response_model=list[schemas.ThreadState],
    responses=problems(403, 404, 413, 503),
)
async def query_history(
    thread: CurrentThread, query: schemas.HistoryQuery, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """The states of a thread, newest first."""
    if not thread.agent:
        return JsonResponse([])
    await find_agent(runner, user, thread.agent)
    before = query.before
    if isinstance(before, str):
        before = schemas.Checkpoint(checkpoint_id=before)
    config = to_config(thread.thread_id, query.checkpoint)
    states = []
    # Metadata is compared here, because the checkpointers would put its keys into SQL.
    async for snapshot in runner.graph(thread.agent).aget_state_history(
        config,
        before=to_config(thread.thread_id, before) if before else None,
        limit=None if query.metadata else query.limit,
    ):
        if contains(snapshot.metadata or {}, query.metadata or {}):
            states.append(to_state(snapshot))
        if len(states) >= query.limit:
            break
    return JsonResponse(states)


async def _state(
    runner: Runner,
    user: User,
    thread: Thread,
    checkpoint: schemas.Checkpoint | None,
    *,
    subgraphs: bool,
) -> Response:
    if not thread.agent:
        return JsonResponse(empty_state(thread.thread_id))
    await find_agent(runner, user, thread.agent)
    snapshot = await runner.graph(thread.agent).aget_state(
        to_config(thread.thread_id, checkpoint), subgraphs=subgraphs
    )
    return JsonResponse(to_state(snapshot))


async def _to_thread(
    runner: Runner, user: User, thread: Thread, *, with_state: bool = True
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "thread_id": thread.thread_id,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        # A thread changes with its state, except for its metadata.
        "state_updated_at": thread.updated_at,
        "metadata": thread.labels,
        "status": thread.status,
        "values": None,
        "interrupts": {},
        "config": {},
    }
    if thread.agent and with_state:
        try:
            await find_agent(runner, user, thread.agent)
        except (AgentNotFoundError, AgentUnavailableError, ForbiddenError):
            # Without the agent the values cannot be read.
            return shown
        state = await runner.state(thread.agent, thread.thread_id)
        shown["values"] = state.values or None
        shown["interrupts"] = {
            task.id: list(task.interrupts) for task in state.tasks if task.interrupts
        }
    return shown
