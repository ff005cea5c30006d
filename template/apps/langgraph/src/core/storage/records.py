"""Rows of the tables as values."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from langchain_core.utils.uuid import uuid7
from langgraph_sdk.schema import MultitaskStrategy, RunStatus, ThreadStatus

ACTIVE: tuple[RunStatus, ...] = ("pending", "running")


@dataclass(frozen=True)
class RunRequest:
    """The request for a run, stored with it so that any replica can execute it.

    `input`, `command`, `config`, `context`, `durability`, `checkpoint_id` and `checkpoint_map` (for
    a checkpoint of a subgraph) are LangGraph's. `stream_modes` are those of its server protocol.
    """

    agent: str
    input: Any = None
    command: dict[str, Any] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] | None = None
    stream_modes: list[str] = field(default_factory=list)
    subgraphs: bool = False
    interrupt_before: list[str] | Literal["*"] = field(default_factory=list)
    interrupt_after: list[str] | Literal["*"] = field(default_factory=list)
    durability: Literal["sync", "async", "exit"] = "async"
    checkpoint_id: str | None = None
    checkpoint_map: dict[str, str] = field(default_factory=dict)
    webhook: str | None = None
    strategy: MultitaskStrategy = "enqueue"
    metadata: dict[str, Any] = field(default_factory=dict)
    roles: list[str] | None = field(default_factory=list)
    """The user's roles; None means every role."""


@dataclass(frozen=True)
class Run:
    """An execution of an agent on a thread; the columns are described in `tables.runs`."""

    run_id: str
    thread_id: str
    agent: str
    user_id: str
    status: RunStatus
    request: RunRequest
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    owner: str | None = None
    lease_until: float | None = None
    attempt: int = 0
    losses: int = 0
    checkpoint_id: str | None = None
    cancelled: bool = False
    error: dict[str, str] | None = None
    usage: dict[str, Any] | None = None
    seconds: float | None = None
    webhook_due: float | None = None
    webhook_tries: int = 0

    @classmethod
    def from_row(cls, row: Any) -> "Run":
        """The run of a row of `tables.runs`."""
        values = dict(row._mapping)
        return cls(**{**values, "request": RunRequest(**values["request"])})

    def to_row(self) -> dict[str, Any]:
        """The values of the row."""
        return {**vars(self), "request": vars(self.request)}

    @property
    def active(self) -> bool:
        """Whether the run is pending or running."""
        return self.status in ACTIVE

    @property
    def was_cancelled(self) -> bool:
        """Whether the run is "interrupted" because it was cancelled, and not by its agent."""
        return self.cancelled and self.status == "interrupted"


@dataclass(frozen=True)
class Thread:
    """A conversation: its checkpoints and runs."""

    thread_id: str
    user_id: str
    agent: str
    status: ThreadStatus
    metadata: dict[str, Any]
    ephemeral: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_row(cls, row: Any) -> "Thread":
        """The thread of a row of `tables.threads`."""
        return cls(**row._mapping)

    @property
    def labels(self) -> dict[str, Any]:
        """The metadata that clients see and search."""
        if not self.agent:
            return self.metadata
        return {"graph_id": self.agent, "assistant_id": self.agent, **self.metadata}


def contains(whole: Any, part: Any) -> bool:
    """Whether a JSON value contains another at any depth, like PostgreSQL's `@>`."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(one, asked) for one in whole) for asked in part
        )
    # True equals 1 in Python, but not in JSON.
    return bool(whole == part) and isinstance(whole, bool) == isinstance(part, bool)


def new_id() -> str:
    """A UUID that sorts by time of creation."""
    return str(uuid7())


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
