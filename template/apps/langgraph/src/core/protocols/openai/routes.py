"""Routes of the OpenAI protocol."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, find_agent
from apps.langgraph.src.core.protocols.errors import STARTS_RUN, RequestError
from apps.langgraph.src.core.protocols.inputs import check_context, check_input, input_for
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.openai import schemas
from apps.langgraph.src.core.protocols.openai.answer import PARAGRAPH, Answer
from apps.langgraph.src.core.protocols.openai.errors import (
    OpenAIProblem,
    openai_problem,
    openai_problems,
)
from apps.langgraph.src.core.protocols.responses import (
    HEARTBEAT_EVENT,
    AwaitedJson,
    EventStream,
    location_headers,
    run_events,
)
from apps.langgraph.src.core.runs.encoding import apply, dumps
from apps.langgraph.src.core.runs.following import Result, result_of
from apps.langgraph.src.core.runs.runner import Runner, ShuttingDownError
from apps.langgraph.src.core.security.identity import CurrentUser
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import Run, RunRequest

router = APIRouter(prefix="/v1", tags=["openai"], route_class=JsonRoute)


@router.get("/models", responses=openai_problems())
async def list_models(user: CurrentUser, runner: CurrentRunner) -> schemas.Models:
    """The agents that the user may use."""
    agents = [agent for agent in runner.registry.list() if agent.allows(user.roles)]
    return schemas.Models(data=[_model(runner, agent) for agent in agents])


@router.get("/models/{model}", responses=openai_problems(403, 404, 503))
async def get_model(model: str, user: CurrentUser, runner: CurrentRunner) -> schemas.Model:
    """An agent."""
    return _model(runner, await find_agent(runner, user, model))


@router.post(
    "/chat/completions",
    response_model=schemas.Completion,
    responses={
        **openai_problems(*STARTS_RUN, 500),
        200: {"model": schemas.Completion, "content": {"text/event-stream": {}}},
    },
    dependencies=[Depends(count_run)],
)
async def create_completion(
    body: schemas.ChatRequest, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """An agent's reply to a conversation; the run is cancelled if the client disconnects."""
    agent = await find_agent(runner, user, body.model)
    value = _input(agent, body.messages)
    check_input(agent, value)
    run_request = RunRequest(
        agent=agent.name,
        input=value,
        context=body.context,
        stream_modes=["messages-tuple"] if body.stream else [],
        subgraphs=body.stream,
        roles=user.role_names,
    )
    check_context(agent, run_request)
    run = await runner.start(run_request, user.id, ephemeral=True)
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(_chunks(runner, agent, run, with_usage=usage), location_headers(run))

    async def completion() -> tuple[int, Any]:
        result = await result_of(runner, run)
        if result.run.error:
            return 500, _problem(result.run.error)
        text = await apply(partial(_text, agent), result)
        choice = schemas.Choice(message=schemas.ChatMessage(content=text))
        head, usage = _head(agent, run), _usage(result.run)
        return 200, schemas.Completion(**head, choices=[choice], usage=usage)

    def abandoned() -> None:
        runner.cancel_soon(run.run_id)

    return AwaitedJson(completion, location_headers(run), abandoned=abandoned)


def _input(agent: Agent, messages: list[dict[str, Any]]) -> dict[str, Any]:
    if "messages" in agent.input_schema.get("properties", {}):
        return {"messages": messages}
    # An agent whose input is a prompt gets the last user message.
    content = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), None)
    if not isinstance(content, str) or not content:
        raise RequestError(f"{agent.name} takes a text: the last user message has none.")
    value: dict[str, Any] = orjson.loads(dumps(input_for(agent, content)))
    return value


async def _chunks(
    runner: Runner, agent: Agent, run: Run, *, with_usage: bool
) -> AsyncGenerator[bytes]:
    head = {**_head(agent, run), "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    answer = Answer(agent.last_nodes)
    async for batch in run_events(runner, run, cancel_on_disconnect=True):
        if not batch:
            yield HEARTBEAT_EVENT
        for event in batch:
            if text := answer.next(event):
                yield chunk({"content": text})
            elif event.name == "error":
                yield _data(_problem(orjson.loads(event.data)).model_dump())
                return
    try:
        result = await result_of(runner, run)
    except ShuttingDownError:
        # A client of this protocol cannot join the run later.
        problem = openai_problem(503, "The service is shutting down; try again.")
        yield _data(problem.model_dump())
        return
    if rest := answer.rest(_text(agent, result) or ""):
        yield chunk({"content": rest})
    yield chunk({}, "stop")
    if with_usage:
        yield _data({**head, "choices": [], "usage": _usage(result.run).model_dump()})
    yield b"data: [DONE]\n\n"


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % orjson.dumps(value)


def _head(agent: Agent, run: Run) -> dict[str, Any]:
    created = int(run.created_at.timestamp())
    return {"id": f"chatcmpl-{run.run_id}", "created": created, "model": agent.name}


def _text(agent: Agent, result: Result) -> str | None:
    """The reply, or the values of the interrupts if the agent waits for decisions."""
    asked = [interrupt.value for interrupt in result.interrupts]
    if asked:
        texts = (value if isinstance(value, str) else dumps(value).decode() for value in asked)
        return PARAGRAPH.join(texts)
    return agent.reply(result.values) or None


def _usage(run: Run) -> schemas.Usage:
    models = (run.usage or {}).values()
    prompt = sum(model["input_tokens"] for model in models)
    completion = sum(model["output_tokens"] for model in models)
    return schemas.Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def _problem(error: dict[str, str]) -> OpenAIProblem:
    return openai_problem(500, error["message"], error["error"])


def _model(runner: Runner, agent: Agent) -> schemas.Model:
    return schemas.Model(id=agent.name, created=int(runner.started_at.timestamp()))
