"""OpenAI's chat completions: every agent is a model, under its own name.

A request carries the whole conversation, as OpenAI's clients send it, so each runs on a thread of
its own. https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import AsyncGenerator
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.answers import EventStream, JsonResponse, run_events
from apps.langgraph.src.core.routes.context import CurrentEngine, find_agent
from apps.langgraph.src.core.routes.errors import STARTS_RUN, RequestError, responses
from apps.langgraph.src.core.routes.inputs import check_input, input_for
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.runs.engine import Engine, Result
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
    """

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None


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


class ErrorDetail(BaseModel):
    """An error in OpenAI's form."""

    message: str
    type: str
    code: str | None = None


class Error(BaseModel):
    """An error in OpenAI's form."""

    error: ErrorDetail


@router.get("/models", responses=responses())
async def list_models(user: CurrentUser, engine: CurrentEngine) -> Models:
    """The agents that the user may use."""
    created = int(engine.started_at.timestamp())
    agents = [agent for agent in engine.registry.list() if user.may_use(agent)]
    return Models(data=[Model(id=agent.name, created=created) for agent in agents])


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={
        **responses(*STARTS_RUN),
        200: {"model": Completion, "content": {"text/event-stream": {}}},
        500: {"model": Error, "description": "The agent failed"},
    },
    dependencies=[Depends(count_run)],
)
async def create_completion(
    body: ChatRequest, user: CurrentUser, engine: CurrentEngine
) -> Response:
    """Let an agent answer a conversation."""
    agent = find_agent(engine, user, body.model)
    value = _input(agent, body.messages)
    check_input(agent, value)
    modes = ["messages-tuple"] if body.stream else []
    request = RunRequest(
        agent=agent.name,
        input=value,
        stream_modes=modes,
        subgraphs=body.stream,
        roles=user.role_names,
    )
    run = await engine.start(request, user.id, ephemeral=True)
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(_chunks(engine, agent, run, with_usage=usage), {})
    result = await engine.wait(run)
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
    value: dict[str, Any] = orjson.loads(orjson.dumps(input_for(agent, content)))
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
    async for batch in run_events(engine, run):
        if not batch:
            yield b": alive\n\n"
        for event in batch:
            if event.name.startswith("messages") and (text := token_text(event.data)):
                sent += text
                yield chunk({"content": text})
            elif event.name == "error":
                yield b"data: %s\n\n" % orjson.dumps(_error(orjson.loads(event.data)).model_dump())
                return
    result = await engine.wait(run)
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
        return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return agent.answer(result.values) or None


def _usage(run: Run) -> Usage:
    models = (run.usage or {}).values()
    prompt = sum(model["input_tokens"] for model in models)
    completion = sum(model["output_tokens"] for model in models)
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def _error(error: dict[str, str]) -> Error:
    return Error(error=ErrorDetail(message=error["message"], type=error["error"]))


def _completion_id(run: Run) -> str:
    return f"chatcmpl-{run.run_id}"
