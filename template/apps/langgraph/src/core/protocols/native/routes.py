"""Routes of the native protocol."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, CurrentThread, find_agent
from apps.langgraph.src.core.protocols.errors import STARTS_RUN, problems
from apps.langgraph.src.core.protocols.inputs import (
    check_context,
    check_input,
    check_resume,
    input_for,
)
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.native.replies import respond, to_reply
from apps.langgraph.src.core.protocols.native.schemas import Failure, Generate, Reply, Resume, Step
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.following import Result
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import RunRequest, Thread
from apps.langgraph.src.core.storage.runs import RunNotFoundError
from apps.langgraph.src.core.storage.threads import ThreadNotFoundError

router = APIRouter(tags=["agents"], route_class=JsonRoute)

RESPONSES = {
    **problems(*STARTS_RUN),
    200: {
        "model": Reply,
        "content": {"text/event-stream": {}},
        "description": "The reply; with `stream` events: metadata, token, step, end or error",
    },
    500: {"model": Failure, "description": "The agent failed"},
    504: {"model": Failure, "description": "The agent exceeded its time limit"},
}


@router.post(
    "/{agent}/generate",
    response_model=Reply,
    responses=RESPONSES,
    dependencies=[Depends(count_run)],
)
async def generate(
    agent: str, body: Generate, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Run an agent, on a new thread or on `thread_id`, and return its reply."""
    found = await find_agent(runner, user, agent)
    value = input_for(found, body.prompt) if body.prompt is not None else body.input
    check_input(found, value)
    thread_id = str(body.thread_id) if body.thread_id else None
    if thread_id:
        await _check_free(runner, user, thread_id, agent)
    run = await runner.start(
        _request(found, user, body, input=orjson.loads(dumps(value))),
        user.id,
        thread_id=thread_id,
        create_thread=True,
    )
    return respond(runner, found, run, stream=body.stream)


@router.post(
    "/{agent}/resume/{thread_id}",
    response_model=Reply,
    responses=RESPONSES,
    dependencies=[Depends(count_run)],
)
async def resume(
    agent: str, thread: CurrentThread, body: Resume, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """Continue after an interrupt, with the decision on it.

    If there are several, `resume` has the decisions by the interrupts' IDs. Those without a
    decision stay open.
    """
    found = await find_agent(runner, user, agent)
    _check_agent(thread, agent)
    if not await check_resume(runner, agent, thread.thread_id, body.resume):
        raise HTTPException(409, "The agent is not waiting for a decision on this thread.")
    run = await runner.start(
        # Not queued: the question behind another run may be a different one.
        _request(found, user, body, command={"resume": body.resume}, strategy="reject"),
        user.id,
        thread_id=thread.thread_id,
    )
    return respond(runner, found, run, stream=body.stream)


@router.get("/{agent}/status/{thread_id}", responses=problems(403, 404, 503))
async def status(
    agent: str, thread: CurrentThread, user: CurrentUser, runner: CurrentRunner
) -> Reply:
    """The latest run on a thread, with the thread's current `output` and `values`."""
    found = await find_agent(runner, user, agent)
    _check_agent(thread, agent)
    runs = await runner.storage.runs.of_thread(thread.thread_id, limit=1)
    if not runs:
        raise RunNotFoundError
    state = await runner.state(agent, thread.thread_id)
    return to_reply(found, Result(runs[0], state.values, list(state.interrupts)))


@router.get(
    "/{agent}/history/{thread_id}",
    response_model=list[Step],
    responses=problems(403, 404, 503),
)
async def history(
    agent: str,
    thread: CurrentThread,
    user: CurrentUser,
    runner: CurrentRunner,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Response:
    """The states of a thread, newest first."""
    await find_agent(runner, user, agent)
    _check_agent(thread, agent)
    config = {"configurable": {"thread_id": thread.thread_id}}
    states = runner.graph(agent).aget_state_history(config, limit=limit)
    return JsonResponse(
        [
            {
                "created_at": state.created_at,
                "step": (state.metadata or {}).get("step"),
                "next": list(state.next),
                "values": state.values,
            }
            async for state in states
        ]
    )


def _request(agent: Agent, user: User, body: Generate | Resume, **values: Any) -> RunRequest:
    request = RunRequest(
        agent.name,
        context=body.context,
        stream_modes=["messages-tuple", "updates"] if body.stream else [],
        subgraphs=body.stream,
        roles=user.role_names,
        **values,
    )
    check_context(agent, request)
    return request


def _check_agent(thread: Thread, agent: str) -> None:
    if thread.agent != agent:
        raise ThreadNotFoundError


async def _check_free(runner: Runner, user: User, thread_id: str, agent: str) -> None:
    """Raise 409 if the thread is another agent's: a run would discard its interrupt."""
    try:
        thread = await runner.storage.threads.get(thread_id, user.id)
    except ThreadNotFoundError:
        return
    if thread.agent not in ("", agent):
        raise HTTPException(409, f"The thread is the agent {thread.agent!r}'s: start a new one.")
