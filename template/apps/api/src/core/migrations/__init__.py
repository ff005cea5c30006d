"""Migrations of the API's tables."""

from pathlib import Path

from shared.migrations import History

HISTORY = History(
    Path(__file__).parent,
    "alembic_version",
    job="apps.api.src.core.migrate",
    custom=Path(__file__).parents[2] / "custom/migrations",
)
