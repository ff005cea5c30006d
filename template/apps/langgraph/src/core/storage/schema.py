"""The schema of the agents service: brought up to date by one job, checked at each start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

# The API may keep its tables in the same database, with versions of its own.
VERSION_TABLE = "agent_alembic_version"

# Any number that nobody else locks in this database.
MIGRATION_LOCK = 7_206_200


OUTDATED = (
    "The agents service's database is not up to date. "
    "Run `uv run python -m apps.langgraph.src.core.migrate`, then start again."
)
NEWER = (
    "The agents service's database is of a newer release than this code: update the project, "
    "or restore the backup that was made before the update."
)


class SchemaOutdatedError(Exception):
    """Schema and code are not of the same release; the message says what to do."""


def upgrade(engine: Engine) -> None:
    """Apply all migrations that are missing, or none; a second job waits for the first.

    Raises `SchemaOutdatedError` if the database is newer than this code.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            connection.execute(lock, {"key": MIGRATION_LOCK})
        else:
            # SQLite alters a table by replacing it, and what refers to the old one would go with
            # it. The driver begins no transaction for CREATE and ALTER by itself.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise SchemaOutdatedError(NEWER) from None
        connection.commit()


def check(connection: Connection) -> None:
    """Raise `SchemaOutdatedError` unless exactly this release's migrations are applied."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    found, script = context.get_current_revision(), ScriptDirectory.from_config(_config())
    if found != script.get_current_head():
        known = {revision.revision for revision in script.walk_revisions()}
        raise SchemaOutdatedError(OUTDATED if found is None or found in known else NEWER)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
