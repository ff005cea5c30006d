"""Alembic's entry point."""

from apps.api.src.core.models import Base
from shared.migrations import run_migrations

run_migrations(Base.metadata)
