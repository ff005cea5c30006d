"""Threads and their states."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from langgraph.errors import InvalidUpdateError

from apps.langgraph.src.core.agents import AgentNotFound, AgentUnavailable
from apps.langgraph.src.core.routes.answers import JsonResponse
from apps.langgraph.src.core.routes.context import CurrentEngine, CurrentThread, find_agent
from apps.langgraph.src.core.routes.errors import ForbiddenError, RequestError, responses
from apps.langgraph.src.core.routes.inputs import check_checkpoint
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.routes.protocol import models
from apps.langgraph.src.core.routes.protocol.states import (
    empty_state,
    to_checkpoint,
    to_config,
    to_state,
)
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.copying import copy_checkpoints
from apps.langgraph.src.core.storage.records import Thread, contains, new_id
from apps.langgraph.src.core.storage.runs import ThreadBusyError
from shared.settings import get_settings

router = APIRouter(prefix="/threads", tags=["threads"], route_class=JsonRoute)


@router.post("", response_model=models.Thread, responses=responses(409, 413))
async def create_thread(
    body: models.ThreadCreate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """A new thread of the user."""
    thread = await engine.storage.threads.create(
        user.id,
        thread_id=str(body.thread_id) if body.thread_id else None,
        metadata=body.metadata,
        exist_ok=body.if_exists == "do_nothing",
    )
    return JsonResponse(await _shown(engine, user, thread))


@router.post("/search", response_model=list[models.Thread], responses=responses(413))
async def search_threads(
    query: models.ThreadSearch, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """The user's threads."""
    sort_by = "updated_at" if query.sort_by == "state_updated_at" else query.sort_by
    threads = await engine.storage.threads.search(
        user.id,
        ids=None if query.ids is None else [str(thread_id) for thread_id in query.ids],
        metadata=query.metadata,
        status=query.status,
        sort_by=sort_by,
        descending=query.sort_order == "desc",
        limit=query.limit,
        offset=query.offset,
    )
    with_state = query.select is None or {"values", "interrupts"} & set(query.select)
    shown = await asyncio.gather(
        *(_shown(engine, user, thread, with_state=bool(with_state)) for thread in threads)
    )
    if query.select is not None:
        wanted = {*query.select, "thread_id"}
        shown = [{key: one[key] for key in one if key in wanted} for one in shown]
    return JsonResponse(shown)


@router.post("/count", responses=responses(413))
async def count_threads(query: models.ThreadCount, user: CurrentUser, engine: CurrentEngine) -> int:
    """How many threads a search would find."""
    return await engine.storage.threads.count(user.id, metadata=query.metadata, status=query.status)


@router.get("/{thread_id}", response_model=models.Thread, responses=responses(404))
async def get_thread(thread: CurrentThread, user: CurrentUser, engine: CurrentEngine) -> Response:
    """A thread with its latest values."""
    return JsonResponse(await _shown(engine, user, thread))


@router.patch("/{thread_id}", response_model=models.Thread, responses=responses(404, 413))
async def update_thread(
    thread_id: UUID, body: models.ThreadPatch, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Merge metadata into a thread's."""
    thread = await engine.storage.threads.update_metadata(str(thread_id), user.id, body.metadata)
    return JsonResponse(await _shown(engine, user, thread))


@router.delete("/{thread_id}", status_code=204, responses=responses(404, 503))
async def delete_thread(thread: CurrentThread, engine: CurrentEngine) -> None:
    """Remove a thread with all its runs and checkpoints; what runs on it is cancelled."""
    for run_id in await engine.storage.runs.active_on(thread.thread_id):
        await engine.cancel(run_id)
        # Or it would write checkpoints that nobody removes, on another replica too.
        await engine.wait_end(await engine.storage.runs.get(run_id))
    await engine.storage.delete_threads([thread.thread_id])


@router.post("/{thread_id}/copy", response_model=models.Thread, responses=responses(404, 409))
async def copy_thread(thread: CurrentThread, user: CurrentUser, engine: CurrentEngine) -> Response:
    """A new thread with all that an idle one has come to; the runs stay with the old one."""
    storage, copied = engine.storage, new_id()
    if await storage.runs.active_on(thread.thread_id):
        raise ThreadBusyError
    await copy_checkpoints(storage.checkpointer, thread.thread_id, copied)
    await storage.threads.create(user.id, thread_id=copied, metadata=thread.metadata)
    await storage.threads.set_status(copied, thread.status, thread.agent)
    return JsonResponse(await _shown(engine, user, await storage.threads.get(copied, user.id)))


@router.get(
    "/{thread_id}/state", response_model=models.ThreadState, responses=responses(403, 404, 503)
)
async def get_state(
    thread: CurrentThread, user: CurrentUser, engine: CurrentEngine, subgraphs: bool = False
) -> Response:
    """The latest state of a thread."""
    return await _state(engine, user, thread, None, subgraphs=subgraphs)


@router.get(
    "/{thread_id}/state/{checkpoint_id}",
    response_model=models.ThreadState,
    responses=responses(403, 404, 503),
)
async def get_state_at(
    thread: CurrentThread,
    checkpoint_id: UUID,
    user: CurrentUser,
    engine: CurrentEngine,
    subgraphs: bool = False,
) -> Response:
    """The state of a thread at a checkpoint."""
    checkpoint = models.Checkpoint(checkpoint_id=str(checkpoint_id))
    return await _state(engine, user, thread, checkpoint, subgraphs=subgraphs)


@router.post(
    "/{thread_id}/state/checkpoint",
    response_model=models.ThreadState,
    responses=responses(403, 404, 413, 503),
)
async def query_state(
    thread: CurrentThread, query: models.CheckpointQuery, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """The state of a thread, or of a subgraph in it, at a checkpoint."""
    return await _state(engine, user, thread, query.checkpoint, subgraphs=query.subgraphs)


@router.post(
    "/{thread_id}/state",
    response_model=models.StateUpdated,
    responses=responses(403, 404, 409, 413, 503),
)
async def update_state(
    thread: CurrentThread, body: models.StateUpdate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Write values into a thread's state, while nothing runs on it."""
    if await engine.storage.runs.active_on(thread.thread_id):
        raise ThreadBusyError
    agent = thread.agent or str(thread.metadata.get("graph_id", ""))
    if not agent:
        raise RequestError("Nothing has run on this thread: its state has no form yet.")
    await find_agent(engine, user, agent)
    at = body.checkpoint or models.Checkpoint(checkpoint_id=body.checkpoint_id)
    if at.checkpoint_id:
        place = at.checkpoint_id, at.checkpoint_ns or ""
        await check_checkpoint(engine, thread.thread_id, *place)
    graph = engine.graph(agent)
    try:
        config = await graph.aupdate_state(
            to_config(thread.thread_id, at), body.values, as_node=body.as_node
        )
    except (InvalidUpdateError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        reason = "The state does not accept these values"
        # What the agent's own functions raise is for its author.
        if isinstance(error, InvalidUpdateError) or get_settings().environment == "development":
            reason += f": {error}"
        raise RequestError(reason) from error
    state = await graph.aget_state(to_config(thread.thread_id))
    status = "interrupted" if state.next else "idle"
    await engine.storage.threads.set_status(thread.thread_id, status, agent)
    checkpoint = to_checkpoint(config)
    return JsonResponse({"checkpoint": checkpoint, "configurable": checkpoint})


@router.get(
    "/{thread_id}/history",
    response_model=list[models.ThreadState],
    responses=responses(403, 404, 503),
)
async def get_history(
    thread: CurrentThread,
    user: CurrentUser,
    engine: CurrentEngine,
    limit: models.QueryLimit = 10,
    before: UUID | None = None,
) -> Response:
    """The states of a thread, the newest first."""
    query = models.HistoryQuery(limit=limit, before=str(before) if before else None)
    return await query_history(thread, query, user, engine)


@router.post(
    "/{thread_id}/history",
    response_model=list[models.ThreadState],
    responses=responses(403, 404, 413, 503),
)
async def query_history(
    thread: CurrentThread, query: models.HistoryQuery, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """The states of a thread, the newest first."""
    if not thread.agent:
        return JsonResponse([])
    await find_agent(engine, user, thread.agent)
    before = query.before
    if isinstance(before, str):
        before = models.Checkpoint(checkpoint_id=before)
    config = to_config(thread.thread_id, query.checkpoint)
    states = []
    # Metadata is compared here: the checkpointers build parts of their queries from its keys.
    async for snapshot in engine.graph(thread.agent).aget_state_history(
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
    engine: Engine,
    user: User,
    thread: Thread,
    checkpoint: models.Checkpoint | None,
    *,
    subgraphs: bool,
) -> Response:
    if not thread.agent:
        return JsonResponse(empty_state(thread.thread_id))
    await find_agent(engine, user, thread.agent)
    snapshot = await engine.graph(thread.agent).aget_state(
        to_config(thread.thread_id, checkpoint), subgraphs=subgraphs
    )
    return JsonResponse(to_state(snapshot))


async def _shown(
    engine: Engine, user: User, thread: Thread, *, with_state: bool = True
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "thread_id": thread.thread_id,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "metadata": thread.labels,
        "status": thread.status,
        "values": None,
        "interrupts": {},
        "config": {},
    }
    if thread.agent and with_state:
        try:
            await find_agent(engine, user, thread.agent)
        except (AgentNotFound, AgentUnavailable, ForbiddenError):
            # The thread outlives its agent; its values need the agent to be read.
            return shown
        state = await engine.graph(thread.agent).aget_state(to_config(thread.thread_id))
        shown["values"] = state.values or None
        shown["interrupts"] = {
            task.id: list(task.interrupts) for task in state.tasks if task.interrupts
        }
    return shown
