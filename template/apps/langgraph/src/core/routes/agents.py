"""The service's own routes: an agent's name is its address.

    curl -X POST localhost:6200/marketing-swarm/generate \\
         -H 'content-type: application/json' -d '{"prompt": "…"}'
"""

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Self
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.answers import (
    EventStream,
    JsonResponse,
    encode,
    run_events,
)
from apps.langgraph.src.core.routes.context import (
    CurrentEngine,
    CurrentThread,
    find_agent,
)
from apps.langgraph.src.core.routes.errors import STARTS_RUN, Problem, responses
from apps.langgraph.src.core.routes.inputs import check_input, check_resume, input_for
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.engine import Engine, Result
from apps.langgraph.src.core.runs.stream import INTERRUPT, token_text
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import Run, RunRequest, RunStatus, Thread
from apps.langgraph.src.core.storage.runs import RunNotFoundError
from apps.langgraph.src.core.storage.threads import ThreadNotFoundError

router = APIRouter(tags=["agents"], route_class=JsonRoute)


class Generate(BaseModel):
    """What an agent is to do: a `prompt`, or the whole `input` of its graph."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = Field(None, min_length=1)
    input: dict[str, Any] | None = None
    thread_id: UUID | None = None
    stream: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.prompt is None) == (self.input is None):
            raise ValueError("send either a prompt or an input")
        return self


class Resume(BaseModel):
    """The answer to what an agent waits for."""

    model_config = ConfigDict(extra="forbid")

    resume: Any
    stream: bool = False

    @field_validator("resume")
    @classmethod
    def _answers(cls, resume: Any) -> Any:
        if resume is None:
            raise ValueError("send the answer to what the agent asked")
        return resume


class Interrupt(BaseModel):
    """What an agent waits for."""

    id: str
    value: Any


class Answer(BaseModel):
    """What came of a run; `output` is the text of the answer, `values` the rest of the state."""

    thread_id: UUID
    run_id: UUID
    status: RunStatus
    output: str | None
    values: dict[str, Any]
    interrupt: Interrupt | None
    error: dict[str, str] | None
    usage: dict[str, Any]


class Failure(Problem):
    """An agent failed; the run's record has the same error."""

    thread_id: UUID
    run_id: UUID
    error: dict[str, str]


class Step(BaseModel):
    """A state of a thread, as it was after a step."""

    created_at: str | None
    step: int | None
    next: list[str]
    values: Any


RESPONSES = {
    **responses(*STARTS_RUN),
    200: {
        "model": Answer,
        "content": {"text/event-stream": {}},
        "description": "The answer; with `stream` events: metadata, token, step, end or error",
    },
    500: {"model": Failure, "description": "The agent failed"},
    504: {"model": Failure, "description": "The agent took longer than it may"},
}
MODES = ["messages-tuple", "updates"]


@router.post(
    "/{agent}/generate",
    response_model=Answer,
    responses=RESPONSES,
    dependencies=[Depends(count_run)],
)
async def generate(
    agent: str, body: Generate, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Run an agent, on a new thread or on `thread_id`, and answer with what it made."""
    found = await find_agent(engine, user, agent)
    value = input_for(found, body.prompt) if body.prompt is not None else body.input
    check_input(found, value)
    if body.thread_id:
        await _check_free(engine, user, str(body.thread_id), agent)
    request = RunRequest(
        agent=agent,
        input=orjson.loads(dumps(value)),
        roles=user.role_names,
        **_streaming(body.stream),
    )
    run = await engine.start(
        request,
        user.id,
        thread_id=str(body.thread_id) if body.thread_id else None,
        create_thread=True,
    )
    return await _answered(engine, found, run, stream=body.stream)


@router.post(
    "/{agent}/resume/{thread_id}",
    response_model=Answer,
    responses=RESPONSES,
    dependencies=[Depends(count_run)],
)
async def resume(
    agent: str, thread: CurrentThread, body: Resume, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Go on after an interrupt, with the answer to what the agent asked."""
    found = await find_agent(engine, user, agent)
    _check_agent(thread, agent)
    if thread.status == "idle":
        raise HTTPException(409, "The agent waits for no answer on this thread.")
    await check_resume(engine, agent, thread.thread_id, body.resume)
    request = RunRequest(
        agent=agent,
        command={"resume": body.resume},
        roles=user.role_names,
        **_streaming(body.stream),
    )
    run = await engine.start(request, user.id, thread_id=thread.thread_id)
    return await _answered(engine, found, run, stream=body.stream)


@router.get("/{agent}/status/{thread_id}", responses=responses(403, 404, 503))
async def status(
    agent: str, thread: CurrentThread, user: CurrentUser, engine: CurrentEngine
) -> Answer:
    """The latest run on a thread; `output` and `values` are the thread's as they are now."""
    found = await find_agent(engine, user, agent)
    _check_agent(thread, agent)
    runs = await engine.storage.runs.of_thread(thread.thread_id, limit=1)
    if not runs:
        raise RunNotFoundError
    state = await engine.graph(agent).aget_state(_config(thread))
    return _answer(found, Result(runs[0], state.values, list(state.interrupts)))


@router.get(
    "/{agent}/history/{thread_id}",
    response_model=list[Step],
    responses=responses(403, 404, 503),
)
async def history(
    agent: str,
    thread: CurrentThread,
    user: CurrentUser,
    engine: CurrentEngine,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Response:
    """The states of a thread, the newest first."""
    await find_agent(engine, user, agent)
    _check_agent(thread, agent)
    states = engine.graph(agent).aget_state_history(_config(thread), limit=limit)
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


def _streaming(stream: bool) -> dict[str, Any]:
    return {"stream_modes": MODES, "subgraphs": True} if stream else {}


def _config(thread: Thread) -> Any:
    return {"configurable": {"thread_id": thread.thread_id}}


def _check_agent(thread: Thread, agent: str) -> None:
    if thread.agent != agent:
        raise ThreadNotFoundError


async def _check_free(engine: Engine, user: User, thread_id: str, agent: str) -> None:
    """Raise 409 if the thread is another agent's, whose question would be lost."""
    try:
        thread = await engine.storage.threads.get(thread_id, user.id)
    except ThreadNotFoundError:
        return
    if thread.agent not in ("", agent):
        raise HTTPException(409, f"The thread is the agent {thread.agent!r}'s: begin a new one.")


async def _answered(engine: Engine, agent: Agent, run: Run, *, stream: bool) -> Response:
    headers = {"Content-Location": f"/threads/{run.thread_id}/runs/{run.run_id}"}
    if stream:
        return EventStream(_events(engine, agent, run), headers)
    result = await engine.wait(run)
    if error := result.run.error:
        content = Failure(
            detail=error["message"],
            thread_id=UUID(run.thread_id),
            run_id=UUID(run.run_id),
            error=error,
        )
        status = 504 if result.run.status == "timeout" else 500
        return JsonResponse(content, status, headers=headers)
    return JsonResponse(_answer(agent, result), headers=headers)


async def _events(engine: Engine, agent: Agent, run: Run) -> AsyncGenerator[bytes]:
    """The run's events, reduced to what a plain reader wants to show."""
    async for batch in run_events(engine, run):
        if not batch:
            yield b": alive\n\n"
        for event in batch:
            name = event.name.split("|")[0]
            if name == "metadata":
                place = {"thread_id": run.thread_id, "run_id": run.run_id}
                yield encode(name, orjson.dumps(place), event.id)
            elif name == "messages":
                if text := token_text(event.data):
                    yield encode("token", orjson.dumps({"text": text}), event.id)
            elif event.name == "updates":
                for node in orjson.loads(event.data):
                    if node != INTERRUPT:
                        yield encode("step", orjson.dumps({"node": node}), event.id)
            elif name == "error":
                yield encode(name, event.data)
            elif name == "end":
                yield encode(name, dumps(_answer(agent, await engine.wait(run))))


def _answer(agent: Agent, result: Result) -> Answer:
    run = result.run
    values = result.values if isinstance(result.values, dict) else {}
    rest = {key: values[key] for key in values if key not in ("messages", INTERRUPT)}
    waiting = result.interrupts[0] if result.interrupts else None
    return Answer(
        thread_id=UUID(run.thread_id),
        run_id=UUID(run.run_id),
        status=run.status,
        output=agent.answer(values) or None,
        values=orjson.loads(dumps(rest)),
        interrupt=waiting and Interrupt(id=waiting.id, value=orjson.loads(dumps(waiting.value))),
        error=run.error,
        usage=run.usage or {},
    )
