"""The tables of the agents service. LangGraph has separate tables for checkpoints."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from shared.database import UtcDateTime

metadata = MetaData()

threads = Table(
    "agent_threads",
    metadata,
    Column("thread_id", String(36), primary_key=True),
    Column("user_id", String(255), nullable=False),
    # The agent of the latest run; empty before the first.
    Column("agent", String(255), nullable=False),
    # See `ThreadStatus`.
    Column("status", String(16), nullable=False),
    Column("metadata", JSON, nullable=False),
    # Created for a single run, and deleted some time after it.
    Column("ephemeral", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("agent_threads_by_user", "user_id", "updated_at"),
)

runs = Table(
    "agent_runs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column(
        "thread_id",
        String(36),
        ForeignKey("agent_threads.thread_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("agent", String(255), nullable=False),
    Column("user_id", String(255), nullable=False),
    # See `RunStatus`. "interrupted" is also the status of a cancelled run.
    Column("status", String(16), nullable=False),
    # A `RunRequest`: any replica can execute the run with it.
    Column("request", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # The replica that executes the run holds a lease on it (seconds since 1970).
    Column("owner", String(36)),
    Column("lease_until", Float),
    # The number of executions. Losses are consecutive executions whose replica was lost before they
    # stored a checkpoint after `checkpoint_id`, with which the last one started.
    Column("attempt", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("checkpoint_id", String(64)),
    # Of an active run: whether it is to be cancelled. Of a finished one: whether that ended it.
    Column("cancelled", Boolean, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("usage", JSON(none_as_null=True)),
    # The time of execution so far, stored at intervals for the next attempt.
    Column("seconds", Float),
    # The time of the next try of the webhook (seconds since 1970), or empty.
    Column("webhook_due", Float),
    Column("webhook_tries", Integer, nullable=False),
    Index("agent_runs_by_thread", "thread_id", "created_at"),
    Index("agent_runs_by_status", "status", "lease_until"),
    # Read every second, and almost always empty.
    Index(
        "agent_runs_by_webhook",
        "webhook_due",
        sqlite_where=text("webhook_due IS NOT NULL"),
        postgresql_where=text("webhook_due IS NOT NULL"),
    ),
    # One running run per thread, across all replicas.
    Index(
        "agent_runs_one_per_thread",
        "thread_id",
        unique=True,
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
)

# The events of runs. A row has the events of a short interval, one JSON object per line: a row for
# each token would take longer than the token.
run_events = Table(
    "agent_run_events",
    metadata,
    Column(
        "run_id",
        String(36),
        ForeignKey("agent_runs.run_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("last_id", BigInteger, primary_key=True, autoincrement=False),
    Column("events", Text, nullable=False),
)
