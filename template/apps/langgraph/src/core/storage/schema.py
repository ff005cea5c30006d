"""The schema of the agents service: brought up to date by one job, checked at each start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# The API may keep its tables in the same database, with versions of its own.
VERSION_TABLE = "agent_alembic_version"

# Any number that nobody else locks in this database.
MIGRATION_LOCK = 7_206_200


class SchemaOutdatedError(Exception):
    """The database lacks migrations; the message says how to run them."""

    def __init__(self) -> None:
        super().__init__(
            "The agents service's database is not up to date. "
            "Run `uv run python -m apps.langgraph.src.core.migrate`, then start again."
        )


async def upgrade(engine: AsyncEngine) -> None:
    """Apply all migrations that are missing; a second job waits for the first."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def check(connection: AsyncConnection) -> None:
    """Raise `SchemaOutdatedError` unless every migration is applied."""
    if not await connection.run_sync(_is_current):
        raise SchemaOutdatedError


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return context.get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
