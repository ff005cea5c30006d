"""Attempts to sign in, and the last use of a session."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    for columns in (["account", "expires_at"], ["address", "expires_at"], ["expires_at"]):
        name = op.f(f"ix_login_attempts_{'_'.join(columns)}")
        op.create_index(name, "login_attempts", columns)
    op.add_column("sessions", sa.Column("last_seen_at", TIME, nullable=True))
