"""Alembic's entry point."""

from apps.api.src.core.tables import all_tables
from shared.migrations import run_migrations

run_migrations(all_tables())
