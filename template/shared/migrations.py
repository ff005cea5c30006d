"""Alembic migrations of the services: one job applies them, services only check.

Histories may share a database: each has a version table, all have one lock. A job that has to
apply several awaits one `upgrade` after the other in the function that it gives to `run_job`.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, MetaData
from sqlalchemy.exc import SQLAlchemyError

from shared.database import create_threads_engine, refusal
from shared.settings import Settings, SettingsError, get_settings

# Arbitrary advisory-lock key.
LOCK = 7_206_200
NEWER = (
    "is of a newer release than this code: update the project, "
    "or restore the backup that was made before the update."
)

Upgrade = tuple[str | None, str | None]
"""The revisions before and after; None is an empty database."""


class SchemaError(Exception):
    """The schema is not that of this release and was not changed; the message says what to do."""


@dataclass(frozen=True)
class History:
    """A folder of migrations, with `env.py` and `versions/`, and the table of their state."""

    folder: Path
    version_table: str
    job: str
    """The module that applies these migrations, for messages."""

    @property
    def command(self) -> str:
        """What an administrator types to apply the migrations."""
        return f"uv run python -m {self.job}"

    @property
    def empty(self) -> str:
        """The problem of a database before its first migration."""
        return (
            "There is no database yet, or it is empty: `uv run platform dev` makes it. "
            f"On a server, run `{self.command}`."
        )

    async def upgrade(self, url: str, revision: str = "head") -> Upgrade:
        """Bring the database to `revision` in one transaction; a second job waits for the first.

        Raises `SchemaError`.
        """
        return await asyncio.to_thread(self._upgrade, url, revision)

    def problem(self, connection: Connection) -> str | None:
        """Why this release cannot use the schema, and what to do; None if it can."""
        found = self._revision(connection)
        if found == self._scripts.get_current_head():
            return None
        if found is None:
            return self.empty
        if self._is_newer(found):
            return f"The database {NEWER}"
        return (
            "The database is of an older release than this code: back it up, "
            f"then run `{self.command}`."
        )

    def problem_at(self, url: str | URL) -> str | None:
        """The same for the database at `url`; that it cannot be reached is a problem too."""
        engine = create_threads_engine(url)
        try:
            with engine.connect() as connection:
                return self.problem(connection)
        except (SQLAlchemyError, OSError) as error:
            return refusal(error)
        finally:
            engine.dispose()

    def _upgrade(self, url: str, revision: str) -> Upgrade:
        engine = create_threads_engine(url)
        try:
            with engine.begin() as connection:
                _lock(connection)
                before = self._revision(connection)
                if self._is_newer(before):
                    raise SchemaError(f"The database was not changed: it {NEWER}")
                config = self._config
                config.attributes |= {"connection": connection, "table": self.version_table}
                command.upgrade(config, revision)
                return before, self._revision(connection)
        except CommandError as error:
            raise SchemaError(f"The database was not changed. {error}") from error
        except (SQLAlchemyError, OSError) as error:
            raise SchemaError(f"The database was not changed. {refusal(error)}") from error
        finally:
            engine.dispose()

    def _revision(self, connection: Connection) -> str | None:
        options = {"version_table": self.version_table}
        return MigrationContext.configure(connection, opts=options).get_current_revision()

    def _is_newer(self, revision: str | None) -> bool:
        known = {None, *(script.revision for script in self._scripts.walk_revisions())}
        return revision not in known

    @cached_property
    def _scripts(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self._config)

    @property
    def _config(self) -> Config:
        # There is no alembic.ini.
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("path_separator", "os")
        return config


def run_migrations(metadata: MetaData) -> None:
    """Run migrations on the connection of `History.upgrade`: all that an `env.py` does."""
    context.configure(
        connection=context.config.attributes["connection"],
        version_table=context.config.attributes["table"],
        target_metadata=metadata,
        # SQLite alters a table by copying it.
        render_as_batch=True,
        transactional_ddl=True,
        # The database may hold tables of other histories.
        include_name=lambda name, kind, _: kind != "table" or name in metadata.tables,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_job(migrate: Callable[[Settings], Coroutine[Any, Any, Upgrade]]) -> int:
    """Run a service's migration job and print what it did.

    Returns the exit code: 0 if the database is up to date; 1 if a setting is wrong or the database
    refuses, with the reason on standard error.
    """
    try:
        before, after = asyncio.run(migrate(get_settings()))
    except (SettingsError, SchemaError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except (SQLAlchemyError, sqlite3.Error, psycopg.Error, OSError) as error:
        print(f"Error: {refusal(error)}", file=sys.stderr)
        return 1
    if before == after:
        print(f"The database is already at revision {after}.")
    else:
        print(f"The database went from revision {before or 'none'} to {after}.")
    return 0


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # SQLite alters a table by replacing it; with foreign keys on, rows that refer to the old
        # one would be deleted with it.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        # The driver begins no transaction for CREATE and ALTER by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
