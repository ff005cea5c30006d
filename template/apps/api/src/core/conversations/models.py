"""Tables of conversations, their runs and their messages."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, Uuid, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, column_property, mapped_column

from apps.api.src.core.tables import Base, Serial, now

# Statuses of a run whose stored reply is only a part.
INCOMPLETE = ("interrupted", "error", "timeout")


class Run(Base):
    """One reply of an agent, from the prompt or decision to its end.

    `status` is running, success, error, timeout or interrupted, as in LangGraph. `cancelled` says
    that an interrupted run was stopped by its user, or that its interrupts were dismissed.
    `error` is for the user; `error_reason`, the agent's own words without credentials, only for
    administrators and developers. `agent_run_id` is the run's ID in the agents service, None until
    the service has accepted the run. `input` is `{"prompt": text}` or `{"resume": value}`, with the
    value of LangGraph's `Command(resume=…)`. `steps` are those of `schemas.Step`.
    """

    __tablename__ = "runs"
    __table_args__ = (
        # One reply at a time in a conversation.
        Index(
            "uq_runs_conversation_id_running",
            "conversation_id",
            unique=True,
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        # IDs are never reused: streams and followers depend on it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(String(20), default="running")
    cancelled: Mapped[bool] = mapped_column(default=False)
    agent_run_id: Mapped[str | None] = mapped_column(String(100))
    input: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    error_reason: Mapped[str | None] = mapped_column(Text)
    steps: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


def _of_last_run(column: InstrumentedAttribute[Any], conversation_id: Any) -> Any:
    runs = select(column).where(Run.conversation_id == conversation_id).order_by(Run.id.desc())
    return runs.limit(1).correlate_except(Run).scalar_subquery()


class Conversation(Base):
    """A user's conversation with an agent; its ID is also the thread's ID in the agents service.

    `run_status`, `cancelled`, `error` and `error_reason` are those of the last run.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "updated_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    agent: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    run_status: Mapped[str | None] = column_property(_of_last_run(Run.status, id))  # noqa: A003
    cancelled: Mapped[bool] = column_property(
        func.coalesce(_of_last_run(Run.cancelled, id), False)  # noqa: A003
    )
    error: Mapped[str | None] = column_property(_of_last_run(Run.error, id))  # noqa: A003
    error_reason: Mapped[str | None] = column_property(
        _of_last_run(Run.error_reason, id)  # noqa: A003
    )


class Message(Base):
    """A prompt, a reply or a part of one, an interrupt, or a decision.

    `interrupt` is `{"id": …, "value": …}` as the agent raised it; `decision` is that of
    `schemas.TakenDecision`; `result` is what an agent returned instead of a text. `run_status` is
    that of the run, `run_steps` too, for prompts and decisions only.
    """

    __tablename__ = "messages"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    interrupt: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    result: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    run_status: Mapped[str] = column_property(
        select(Run.status).where(Run.id == run_id).scalar_subquery()
    )
    run_steps: Mapped[list[dict[str, Any]] | None] = column_property(
        select(Run.steps).where(Run.id == run_id, role == "user").scalar_subquery()
    )

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the reply to a prompt or decision."""
        return self.run_steps or []

    @property
    def incomplete(self) -> str | None:
        """The run status that ended a reply before its end; None for other messages."""
        reply = self.role == "assistant" and self.interrupt is None
        return self.run_status if reply and self.run_status in INCOMPLETE else None
