"""Alembic's entry point."""

from apps.langgraph.src.core.storage.tables import metadata
from shared.migrations import run_migrations

run_migrations(metadata)
