"""Threads, runs and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "agent_threads",
        sa.Column("thread_id", sa.String(36), primary_key=True),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("agent", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("ephemeral", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("agent_threads_by_user", "agent_threads", ["user_id", "updated_at"])
    op.create_table(
        "agent_runs",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column(
            "thread_id",
            sa.String(36),
            sa.ForeignKey("agent_threads.thread_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("agent", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("owner", sa.String(36)),
        sa.Column("lease_until", sa.Float()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("checkpoint_id", sa.String(64)),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True)),
        sa.Column("usage", sa.JSON(none_as_null=True)),
        sa.Column("webhook_due", sa.Float()),
        sa.Column("webhook_tries", sa.Integer(), nullable=False),
    )
    op.create_index("agent_runs_by_thread", "agent_runs", ["thread_id", "created_at"])
    op.create_index("agent_runs_by_status", "agent_runs", ["status", "lease_until"])
    running = sa.text("status = 'running'")
    op.create_index(
        "agent_runs_one_per_thread",
        "agent_runs",
        ["thread_id"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_table(
        "agent_run_events",
        sa.Column(
            "run_id",
            sa.String(36),
            sa.ForeignKey("agent_runs.run_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("last_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("events", sa.Text(), nullable=False),
    )
