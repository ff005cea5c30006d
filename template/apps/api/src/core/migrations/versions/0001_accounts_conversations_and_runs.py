"""Accounts, conversations and runs."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_login_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        _owner("conversations", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    _index("conversations", "user_id", "updated_at")

    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        _owner("sessions", "user_id", "users"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    _index("sessions", "expires_at")
    _index("sessions", "user_id")

    op.create_table(
        "runs",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("agent_run_id", sa.String(length=100), nullable=True),
        sa.Column("input", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        _owner("runs", "conversation_id", "conversations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    _index("runs", "conversation_id")
    op.create_index(
        "uq_runs_conversation_id_running",
        "runs",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )

    op.create_table(
        "messages",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", SERIAL, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("interrupt", sa.JSON(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        _owner("messages", "conversation_id", "conversations"),
        _owner("messages", "run_id", "runs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    _index("messages", "conversation_id")
    _index("messages", "run_id")


def _owner(table: str, column: str, owners: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{owners}")
    return sa.ForeignKeyConstraint([column], [f"{owners}.id"], name=name, ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
