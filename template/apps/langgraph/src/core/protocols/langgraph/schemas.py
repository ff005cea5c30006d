"""Requests and responses of the protocol, as in langgraph_sdk.schema.

Fields for features that this service does not offer (LangSmith, feedback keys, delayed start) are
ignored if that changes nothing for the client, and refused otherwise.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from langgraph_sdk.schema import (
    AssistantSelectField,
    MultitaskStrategy,
    RunStatus,
    ThreadSelectField,
    ThreadStatus,
)
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from apps.langgraph.src.core.runs.stream import StreamMode

# Larger numbers do not fit every database's LIMIT and OFFSET.
Limit = Annotated[int, Field(ge=1, le=1000)]
Offset = Annotated[int, Field(ge=0, le=2**31 - 1)]
QueryLimit = Annotated[int, Query(ge=1, le=1000)]
QueryOffset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Json = dict[str, Any]
Nodes = list[str] | Literal["*"]
CheckpointId = Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{0,36}$")]


Selected = Annotated[Json, Field(description="Only the fields in `select`")]


def _refuse(value: Any) -> None:
    if value is not None:
        raise ValueError("This service does not do that: leave it out")


Unserved = Annotated[None, BeforeValidator(_refuse)]
"""A field for a feature that this service does not offer."""


class AssistantCreate(BaseModel):
    """An assistant that is expected to exist."""

    graph_id: str
    assistant_id: str | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"


class AssistantCount(BaseModel):
    """Filters of assistants."""

    graph_id: str | None = None
    name: str | None = None
    metadata: Json | None = None


class AssistantSearch(AssistantCount):
    """Filters of assistants, and the part of them to read."""

    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["assistant_id", "created_at", "updated_at", "name", "graph_id"] | None = None
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[AssistantSelectField] | None = None


class Assistant(BaseModel):
    """An agent; its name is its identifier."""

    assistant_id: str
    graph_id: str
    name: str
    description: str | None
    config: Json = {}
    context: Json = {}
    metadata: Json
    version: int = 1
    created_at: datetime
    updated_at: datetime


class SubgraphSchema(BaseModel):
    """JSON schemas of a graph; what they cannot describe accepts anything."""

    input_schema: Json
    output_schema: Json
    state_schema: Json
    config_schema: Json = {}
    context_schema: Json


class GraphSchema(SubgraphSchema):
    """JSON schemas of an agent's graph."""

    graph_id: str


class ThreadCreate(BaseModel):
    """A new thread."""

    thread_id: UUID | None = None
    metadata: Json | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"
    supersteps: Unserved = None
    ttl: Unserved = None


class ThreadPatch(BaseModel):
    """Metadata to merge into a thread's."""

    metadata: Json = {}


class ThreadSearch(BaseModel):
    """Filters of the user's threads."""

    ids: list[UUID] | None = Field(None, max_length=1000)
    metadata: Json | None = None
    status: ThreadStatus | None = None
    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["thread_id", "status", "created_at", "updated_at", "state_updated_at"] = (
        "updated_at"
    )
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[ThreadSelectField | Literal["state_updated_at"]] | None = None
    values: Unserved = None
    extract: Unserved = None


class ThreadCount(BaseModel):
    """Filters of the user's threads."""

    metadata: Json | None = None
    status: ThreadStatus | None = None
    values: Unserved = None


class Thread(BaseModel):
    """A thread; `values` is its latest state."""

    thread_id: UUID
    created_at: datetime
    updated_at: datetime
    metadata: Json
    state_updated_at: datetime
    status: ThreadStatus
    values: Json | None
    interrupts: dict[str, list[Json]]
    config: Json = {}


def _place(value: Any) -> Any:
    return value["configurable"] if isinstance(value, dict) and "configurable" in value else value


class Checkpoint(BaseModel):
    """A checkpoint in a thread's history."""

    thread_id: str | None = None
    checkpoint_ns: str | None = ""
    checkpoint_id: CheckpointId | None = None
    checkpoint_map: Json | None = None


class CheckpointQuery(BaseModel):
    """The state to read."""

    checkpoint: Checkpoint
    subgraphs: bool = False


class ThreadState(BaseModel):
    """A thread's state at a checkpoint."""

    values: Any
    next: list[str]
    tasks: list[Json]
    checkpoint: Checkpoint
    metadata: Json | None
    created_at: str | None
    parent_checkpoint: Checkpoint | None
    interrupts: list[Json] = []


class StateUpdate(BaseModel):
    """Values to write into a thread's state, as if the node `as_node` had returned them."""

    values: Json | list[Json] | None = None
    as_node: str | None = None
    checkpoint: Checkpoint | None = None
    checkpoint_id: CheckpointId | None = None


class StateUpdated(BaseModel):
    """The checkpoint of the new state."""

    checkpoint: Checkpoint


class HistoryQuery(BaseModel):
    """The part of a thread's history to read, newest first."""

    limit: Limit = 10
    # The JavaScript SDK sends a configuration that contains the checkpoint.
    before: Annotated[Checkpoint | CheckpointId | None, BeforeValidator(_place)] = None
    metadata: Json | None = None
    checkpoint: Checkpoint | None = None


class RunConfig(BaseModel):
    """LangGraph's configuration of a run."""

    model_config = ConfigDict(extra="ignore")

    tags: list[str] = []
    recursion_limit: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    configurable: Json = {}
    metadata: Json = {}


class SendTo(BaseModel):
    """A node to run, with its input."""

    node: str
    input: Any = None


class Command(BaseModel):
    """How to continue after an interrupt."""

    resume: Any = None
    update: Json | list[tuple[str, Any]] | None = None
    goto: str | SendTo | list[str | SendTo] | None = None


class RunCreate(BaseModel):
    """A run to start."""

    assistant_id: str
    input: Any = None
    command: Command | None = None
    config: RunConfig = RunConfig()
    context: Json | None = None
    metadata: Json | None = None
    stream_mode: StreamMode | list[StreamMode] = "values"
    stream_subgraphs: bool = False
    interrupt_before: Nodes | None = None
    interrupt_after: Nodes | None = None
    webhook: str | None = None
    checkpoint: Checkpoint | None = None
    checkpoint_id: CheckpointId | None = None
    multitask_strategy: MultitaskStrategy | None = None
    if_not_exists: Literal["create", "reject"] = "reject"
    on_disconnect: Literal["cancel", "continue"] = "continue"
    on_completion: Literal["delete", "keep"] = "delete"
    durability: Literal["sync", "async", "exit"] = "async"
    after_seconds: Unserved = None

    @model_validator(mode="after")
    def _checkpoint_of_config(self) -> Self:
        place = self.config.configurable
        if self.checkpoint is None and not self.checkpoint_id and "checkpoint_id" in place:
            # LangGraph's own place for it.
            self.checkpoint = Checkpoint.model_validate(
                {key: place[key] for key in Checkpoint.model_fields if key in place}
            )
        return self


class RunsCancel(BaseModel):
    """The runs to cancel: `run_ids` of the thread `thread_id`, or all of a `status`."""

    status: Literal["pending", "running", "all"] | None = None
    thread_id: UUID | None = None
    run_ids: Annotated[list[UUID] | None, Field(max_length=1000)] = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.status) == (self.thread_id is not None and self.run_ids is not None):
            raise ValueError("Send either `status`, or `thread_id` and `run_ids`")
        return self


class Run(BaseModel):
    """A run."""

    run_id: UUID
    thread_id: UUID
    assistant_id: str
    status: RunStatus
    cancelled: bool = False
    """Whether it is "interrupted" because it was cancelled; otherwise it waits."""
    metadata: Json
    created_at: datetime
    updated_at: datetime
    multitask_strategy: str = "enqueue"
    error: dict[str, str] | None = None
    usage: Json | None = None
