"""Requests and responses of the protocol, as in langgraph_sdk.schema.

Fields for features that this service does not offer (LangSmith, feedback keys, delayed start) are
ignored if that changes nothing for the client, and refused otherwise.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from langgraph_sdk.schema import MultitaskStrategy, RunStatus, ThreadStatus
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from apps.langgraph.src.core.runs.stream import StreamMode

# Larger numbers do not fit every database's LIMIT and OFFSET.
Limit = Annotated[int, Field(ge=1, le=1000)]
Offset = Annotated[int, Field(ge=0, le=2**31 - 1)]
QueryLimit = Annotated[int, Query(ge=1, le=1000)]
QueryOffset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Json = dict[str, Any]
Nodes = list[str] | Literal["*"]
CheckpointId = Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{0,36}$")]


def _refuse(value: Any) -> None:
    if value is not None:
        raise ValueError("This service does not do that: leave it out")


Unserved = Annotated[None, BeforeValidator(_refuse)]
"""A field for a feature that this service does not offer."""


class AssistantSearch(BaseModel):
    """Filters of assistants."""

    graph_id: str | None = None
    name: str | None = None
    metadata: Json | None = None
    limit: Limit = 10
    offset: Offset = 0


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


class GraphSchema(BaseModel):
    """JSON schemas of an agent's graph."""

    graph_id: str
    input_schema: Json | None
    output_schema: Json | None
    state_schema: Json | None
    config_schema: Json | None
    context_schema: Json | None


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
        "created_at"
    )
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[str] | None = None
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


class Run(BaseModel):
    """A run."""

    run_id: UUID
    thread_id: UUID
    assistant_id: str
    status: RunStatus
    metadata: Json
    created_at: datetime
    updated_at: datetime
    multitask_strategy: str = "reject"
    error: dict[str, str] | None = None
    usage: Json | None = None
