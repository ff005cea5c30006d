"""The schema of the agents service: brought up to date by one job, checked at each start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

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


def upgrade(engine: Engine) -> None:
    """Apply all migrations that are missing; a second job waits for the first."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Raise `SchemaOutdatedError` unless every migration is applied."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    if context.get_current_revision() != ScriptDirectory.from_config(_config()).get_current_head():
        raise SchemaOutdatedError


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
