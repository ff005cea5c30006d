"""Migrations of the agents service's tables."""

from pathlib import Path

from shared.migrations import History

HISTORY = History(
    Path(__file__).parent, "agent_alembic_version", job="apps.langgraph.src.core.migrate"
)
