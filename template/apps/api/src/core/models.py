"""Tables of the platform's database, on SQLite and PostgreSQL alike."""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    Uuid,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

from shared.database import UtcDateTime


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


# SQLite numbers rows by itself only in a column of the type INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Base of all tables; constraints are named, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, list[str]: JSON}  # noqa: RUF012


class User(Base):
    """A person with an account. The e-mail address is stored in lower case."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]


class Session(Base):
    """A browser that is signed in. The cookie's token is stored only as a keyed hash."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Run(Base):
    """One answer of an agent, from the prompt to its end.

    `status` is running, succeeded, interrupted, failed or cancelled. `agent_run_id` is the run's ID
    in the agents service, unknown until that has accepted the run. `input` is `{"prompt": text}` or
    `{"resume": value}`, where the value is what LangGraph's `Command(resume=…)` takes.
    """

    __tablename__ = "runs"
    __table_args__ = (
        # A conversation has one answer at a time.
        Index(
            "uq_runs_conversation_id_running",
            "conversation_id",
            unique=True,
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        # An ID is never used again: streams and followers go by it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(String(20), default="running")
    agent_run_id: Mapped[str | None] = mapped_column(String(100))
    input: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class Conversation(Base):
    """A user's conversation with an agent; its ID is also the thread's ID in the agents service.

    `run_status` and `error` are those of the last run.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "updated_at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    agent: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    run_status: Mapped[str | None] = column_property(
        select(Run.status)
        .where(Run.conversation_id == id)  # noqa: A003
        .order_by(Run.id.desc())
        .limit(1)
        .correlate_except(Run)
        .scalar_subquery()
    )
    error: Mapped[str | None] = column_property(
        select(Run.error)
        .where(Run.conversation_id == id)  # noqa: A003
        .order_by(Run.id.desc())
        .limit(1)
        .correlate_except(Run)
        .scalar_subquery()
    )

    @property
    def status(self) -> str:
        """What the user sees: idle, running, interrupted or failed."""
        if self.run_status in ("running", "interrupted", "failed"):
            return self.run_status
        return "idle"


class Message(Base):
    """A prompt, an answer or what there is of one, or (with `interrupt`) a question to a human.

    `interrupt` is `{"id": …, "value": …}` as the agent put it; `run_status` is that of `Run`.
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
    created_at: Mapped[datetime] = mapped_column(default=now)
    run_status: Mapped[str] = column_property(
        select(Run.status).where(Run.id == run_id).scalar_subquery()
    )

    @property
    def incomplete(self) -> str | None:
        """What ended an answer before its end: cancelled or failed; None for other messages."""
        answer = self.role == "assistant" and self.interrupt is None
        return self.run_status if answer and self.run_status in ("cancelled", "failed") else None
