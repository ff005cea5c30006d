"""The tables of the agents service. Checkpoints have tables of LangGraph's own."""

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
    # idle, busy, interrupted or error.
    Column("status", String(16), nullable=False),
    Column("metadata", JSON, nullable=False),
    # Made for one run without a thread, and removed some time after it.
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
    # pending, running, success, error, timeout or interrupted.
    Column("status", String(16), nullable=False),
    # All that is needed to execute the run, on any replica.
    Column("request", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # The replica that executes the run holds a lease on it (seconds since 1970).
    Column("owner", String(36)),
    Column("lease_until", Float),
    # Counts executions. Losses are those in a row that ended with a lost replica and without a
    # checkpoint after `checkpoint_id`, the one from which the latest of them began.
    Column("attempt", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("checkpoint_id", String(64)),
    Column("cancelled", Boolean, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("usage", JSON(none_as_null=True)),
    # How long the run had executed when it was last noted, for another attempt.
    Column("seconds", Float),
    # When to call the webhook next (seconds since 1970); empty when there is nothing to do.
    Column("webhook_due", Float),
    Column("webhook_tries", Integer, nullable=False),
    Index("agent_runs_by_thread", "thread_id", "created_at"),
    Index("agent_runs_by_status", "status", "lease_until"),
    # Looked through every second, and nearly always empty.
    Index(
        "agent_runs_by_webhook",
        "webhook_due",
        sqlite_where=text("webhook_due IS NOT NULL"),
        postgresql_where=text("webhook_due IS NOT NULL"),
    ),
    # One run per thread at a time, whatever the replicas do.
    Index(
        "agent_runs_one_per_thread",
        "thread_id",
        unique=True,
        sqlite_where=text("status = 'running'"),
        postgresql_where=text("status = 'running'"),
    ),
)

# What a run has sent to its readers. A row holds the events of a moment, one JSON object a line,
# because a row for each token would cost more than the token.
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
