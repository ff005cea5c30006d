"""What the tables hold, as values."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from langchain_core.utils.uuid import uuid7

RunStatus = Literal["pending", "running", "success", "error", "timeout", "interrupted"]
ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
MultitaskStrategy = Literal["reject", "enqueue", "interrupt", "rollback"]

ACTIVE: tuple[RunStatus, ...] = ("pending", "running")


@dataclass(frozen=True)
class RunRequest:
    """What to run and how; stored with the run, so that any replica can execute it.

    `input`, `command`, `config`, `context`, `durability` and `checkpoint_id` mean what they mean
    to LangGraph. `stream_modes` are those of the wire protocol.
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
    webhook: str | None = None
    strategy: MultitaskStrategy = "reject"
    metadata: dict[str, Any] = field(default_factory=dict)
    roles: list[str] | None = field(default_factory=list)
    """Those of the user; None means every role."""


@dataclass(frozen=True)
class Run:
    """One execution of an agent on a thread; see `tables.runs` for the columns."""

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
        """Whether the run still waits or executes."""
        return self.status in ACTIVE


@dataclass(frozen=True)
class Thread:
    """A conversation: checkpoints and the runs that made them."""

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
        """The metadata as clients see it and search for it."""
        if not self.agent:
            return self.metadata
        return {"graph_id": self.agent, "assistant_id": self.agent, **self.metadata}


def contains(whole: Any, part: Any) -> bool:
    """Whether JSON contains other JSON at any depth, as PostgreSQL's `@>` has it."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(one, asked) for one in whole) for asked in part
        )
    # In Python, but not in JSON, true equals 1.
    return bool(whole == part) and isinstance(whole, bool) == isinstance(part, bool)


def new_id() -> str:
    """A UUID whose order is that of creation."""
    return str(uuid7())


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
