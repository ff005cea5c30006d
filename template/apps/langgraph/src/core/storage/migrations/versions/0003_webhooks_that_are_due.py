"""Finds the runs whose webhook is due among all others."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    due = sa.text("webhook_due IS NOT NULL")
    op.create_index(
        "agent_runs_by_webhook",
        "agent_runs",
        ["webhook_due"],
        sqlite_where=due,
        postgresql_where=due,
    )
