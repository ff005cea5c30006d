"""Requests and responses of the native protocol."""

from typing import Any, Self
from uuid import UUID

from langgraph_sdk.schema import RunStatus
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from apps.langgraph.src.core.protocols.errors import Problem


class Generate(BaseModel):
    """A `prompt`, or the whole `input` of the agent's graph."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = Field(None, min_length=1)
    input: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    """Values for the graph's context schema."""
    thread_id: UUID | None = None
    stream: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.prompt is None) == (self.input is None):
            raise ValueError("send either a prompt or an input")
        return self


class Resume(BaseModel):
    """The decision on the interrupt; with several, decisions by the interrupts' IDs."""

    model_config = ConfigDict(extra="forbid")

    resume: Any
    context: dict[str, Any] | None = None
    """Values for the graph's context schema; those of the first run are not kept."""
    stream: bool = False

    @field_validator("resume")
    @classmethod
    def _not_empty(cls, resume: Any) -> Any:
        if resume is None:
            raise ValueError("send the decision on the interrupt")
        return resume


class Interrupt(BaseModel):
    """The agent's question; `value` is what the agent passed to `interrupt`."""

    id: str
    value: Any


class Reply(BaseModel):
    """The result of a run; `output` is the reply's text, `values` the state without messages.

    A run with the status "interrupted" was cancelled, or waits for decisions on its `interrupts`,
    the first of which is `interrupt` too.
    """

    thread_id: UUID
    run_id: UUID
    status: RunStatus
    output: str | None
    values: dict[str, Any]
    interrupt: Interrupt | None
    interrupts: list[Interrupt]
    cancelled: bool
    error: dict[str, str] | None
    usage: dict[str, Any]


class Failure(Reply, Problem):
    """The agent failed: the reply so far, and the error, which the run's record has too."""


class Step(BaseModel):
    """The state of a thread after a step."""

    created_at: str | None
    step: int | None
    next: list[str]
    values: Any
