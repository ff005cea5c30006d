"""OpenAI's chat completions: every agent is a model, under its own name.

A request carries the whole conversation, as OpenAI's clients send it, so each runs on a thread of
its own. https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import AsyncGenerator
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, field_validator

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.answers import EventStream, JsonResponse, run_events, wait_for
from apps.langgraph.src.core.routes.context import CurrentEngine, find_agent
from apps.langgraph.src.core.routes.errors import (
    STARTS_RUN,
    OpenAIProblem,
    RequestError,
    openai_problem,
    openai_responses,
)
from apps.langgraph.src.core.routes.inputs import check_input, input_for
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.engine import Engine, Result, ShuttingDownError
from apps.langgraph.src.core.runs.stream import token_text
from apps.langgraph.src.core.security.identity import CurrentUser
from apps.langgraph.src.core.security.limits import count_run
from apps.langgraph.src.core.storage.records import Run, RunRequest

router = APIRouter(prefix="/v1", tags=["openai"], route_class=JsonRoute)


class Model(BaseModel):
    """An agent, as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "platform"


class Models(BaseModel):
    """The agents that the user may use."""

    object: Literal["list"] = "list"
    data: list[Model]


class StreamOptions(BaseModel):
    """What a stream contains besides the text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A conversation for an agent to answer.

    Sampling parameters are ignored: which model an agent uses, and how, is the agent's affair.
    So are tools that it may leave alone.
    """

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = None
    response_format: dict[str, Any] | None = None
    tool_choice: str | dict[str, Any] | None = None

    @field_validator("n")
    @classmethod
    def _one_answer(cls, n: int | None) -> int | None:
        if n not in (None, 1):
            raise ValueError("an agent gives one answer")
        return n

    @field_validator("response_format")
    @classmethod
    def _text(cls, form: dict[str, Any] | None) -> dict[str, Any] | None:
        if form and form.get("type") != "text":
            raise ValueError("an agent answers with text; its own state has the form it needs")
        return form

    @field_validator("tool_choice")
    @classmethod
    def _no_call(cls, choice: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
        if choice not in (None, "auto", "none"):
            raise ValueError("an agent calls tools of its own, not those of a request")
        return choice


class ChatMessage(BaseModel):
    """An answer."""

    role: Literal["assistant"] = "assistant"
    content: str | None


class Choice(BaseModel):
    """The only answer there is."""

    index: int = 0
    message: ChatMessage
    finish_reason: Literal["stop"] = "stop"


class Usage(BaseModel):
    """Tokens of all model calls that the agent made."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """An agent's answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


@router.get("/models", responses=openai_responses())
async def list_models(user: CurrentUser, engine: CurrentEngine) -> Models:
    """The agents that the user may use."""
    agents = [agent for agent in engine.registry.list() if user.may_use(agent)]
    return Models(data=[_model(engine, agent) for agent in agents])


@router.get("/models/{model}", responses=openai_responses(403, 404, 503))
async def get_model(model: str, user: CurrentUser, engine: CurrentEngine) -> Model:
    """One of the agents."""
    return _model(engine, await find_agent(engine, user, model))


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={
        **openai_responses(*STARTS_RUN, 500),
        200: {"model": Completion, "content": {"text/event-stream": {}}},
    },
    dependencies=[Depends(count_run)],
)
async def create_completion(
    body: ChatRequest, request: Request, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Let an agent answer a conversation; the run ends when its client goes away."""
    agent = await find_agent(engine, user, body.model)
    value = _input(agent, body.messages)
    check_input(agent, value)
    modes = ["messages-tuple"] if body.stream else []
    run_request = RunRequest(
        agent=agent.name,
        input=value,
        stream_modes=modes,
        subgraphs=body.stream,
        roles=user.role_names,
    )
    run = await engine.start(run_request, user.id, ephemeral=True)
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(_chunks(engine, agent, run, with_usage=usage), {})
    result = await wait_for(request, engine, run)
    if result.run.error:
        return JsonResponse(_error(result.run.error), 500)
    choice = Choice(message=ChatMessage(content=_text(agent, result)))
    return JsonResponse(
        Completion(
            id=_completion_id(run),
            created=int(run.created_at.timestamp()),
            model=agent.name,
            choices=[choice],
            usage=_usage(result.run),
        )
    )


def _input(agent: Agent, messages: list[dict[str, Any]]) -> dict[str, Any]:
    if "messages" in agent.input_schema().get("properties", {}):
        return {"messages": messages}
    # An agent that takes one prompt gets what the user said last.
    content = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), None)
    if not isinstance(content, str) or not content:
        raise RequestError(f"{agent.name} takes a text: the last user message has none.")
    value: dict[str, Any] = orjson.loads(dumps(input_for(agent, content)))
    return value


async def _chunks(
    engine: Engine, agent: Agent, run: Run, *, with_usage: bool
) -> AsyncGenerator[bytes]:
    head = {
        "id": _completion_id(run),
        "object": "chat.completion.chunk",
        "created": int(run.created_at.timestamp()),
        "model": agent.name,
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: %s\n\n" % orjson.dumps({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    sent = ""
    async for batch in run_events(engine, run, cancel_on_disconnect=True):
        if not batch:
            yield b": alive\n\n"
        for event in batch:
            if event.name.startswith("messages") and (text := token_text(event.data)):
                sent += text
                yield chunk({"content": text})
            elif event.name == "error":
                yield b"data: %s\n\n" % orjson.dumps(_error(orjson.loads(event.data)).model_dump())
                return
    try:
        result = await engine.wait(run)
    except ShuttingDownError:
        # Nobody could come back to this stream.
        problem = openai_problem(503, "The service is about to stop; try again.")
        yield b"data: %s\n\n" % orjson.dumps(problem.model_dump())
        return
    answer = _text(agent, result) or ""
    if not sent.endswith(answer):
        # The answer did not come from a model's stream: a node composed it.
        yield chunk({"content": f"\n\n{answer}" if sent else answer})
    yield chunk({}, "stop")
    if with_usage:
        usage = _usage(result.run).model_dump()
        yield b"data: %s\n\n" % orjson.dumps({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _text(agent: Agent, result: Result) -> str | None:
    """The answer, or what the agent asks before it can give one."""
    if result.interrupts:
        value = result.interrupts[0].value
        return value if isinstance(value, str) else dumps(value).decode()
    return agent.answer(result.values) or None


def _usage(run: Run) -> Usage:
    models = (run.usage or {}).values()
    prompt = sum(model["input_tokens"] for model in models)
    completion = sum(model["output_tokens"] for model in models)
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def _error(error: dict[str, str]) -> OpenAIProblem:
    return openai_problem(500, error["message"], error["error"])


def _model(engine: Engine, agent: Agent) -> Model:
    return Model(id=agent.name, created=int(engine.started_at.timestamp()))


def _completion_id(run: Run) -> str:
    return f"chatcmpl-{run.run_id}"
