"""Reasons of errors, steps, decisions and results that are not text."""

import sqlalchemy as sa
from alembic import op

from shared.logging import redact_text

revision: str = "0002"
down_revision: str | None = "0001"

FAILED = (
    "The agent failed. Try again; if it fails again, give your administrator the reference "
    "number {run_id}."
)


def upgrade() -> None:
    op.add_column("runs", sa.Column("error_reason", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("steps", sa.JSON(), nullable=True))
    op.add_column("messages", sa.Column("decision", sa.JSON(), nullable=True))
    op.add_column("messages", sa.Column("result", sa.JSON(), nullable=True))

    # Until 0.3.0 an error that the agent raised was stored as it was.
    runs = sa.table(
        "runs",
        sa.column("id", sa.Integer),
        sa.column("status", sa.String),
        sa.column("agent_run_id", sa.String),
        sa.column("error", sa.Text),
        sa.column("error_reason", sa.Text),
    )
    connection = op.get_bind()
    failed = sa.select(runs.c.id, runs.c.error).where(
        runs.c.status == "error", runs.c.agent_run_id.is_not(None), runs.c.error.is_not(None)
    )
    for run_id, error in connection.execute(failed).all():
        connection.execute(
            sa.update(runs)
            .where(runs.c.id == run_id)
            .values(error=FAILED.format(run_id=run_id), error_reason=redact_text(error))
        )
