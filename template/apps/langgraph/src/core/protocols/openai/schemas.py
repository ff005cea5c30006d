"""Requests and responses of the OpenAI protocol."""

from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator


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
    """Options of a stream."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A conversation, of which the last message is the prompt.

    Sampling parameters and optional tools are ignored: the agent decides on both.
    """

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    context: dict[str, Any] | None = None
    """Values for the context schema of the agent's graph; OpenAI's clients send them as
    `extra_body`."""
    n: int | None = None
    response_format: dict[str, Any] | None = None
    tool_choice: str | dict[str, Any] | None = None

    @field_validator("n")
    @classmethod
    def _one_reply(cls, n: int | None) -> int | None:
        if n not in (None, 1):
            raise ValueError("an agent gives one reply")
        return n

    @field_validator("response_format")
    @classmethod
    def _text(cls, form: dict[str, Any] | None) -> dict[str, Any] | None:
        if form and form.get("type") != "text":
            raise ValueError("an agent replies with text; other results are in its state")
        return form

    @field_validator("tool_choice")
    @classmethod
    def _no_call(cls, choice: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
        if choice not in (None, "auto", "none"):
            raise ValueError("an agent cannot call tools of a request")
        return choice


class ChatMessage(BaseModel):
    """A reply."""

    role: Literal["assistant"] = "assistant"
    content: str | None


class Choice(BaseModel):
    """The reply, as the first and only choice."""

    index: int = 0
    message: ChatMessage
    finish_reason: Literal["stop"] = "stop"


class Usage(BaseModel):
    """Tokens of all language models that the agent called."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A run's result."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
