"""Alembic migrations of the services: one job applies them, services only check.

Histories may share a database: each has a version table, all have one lock. The customer's own
migrations are such a history, applied after the framework's in the same transaction.
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
from sqlalchemy import URL, Connection, MetaData, column, table, update
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


@dataclass
class History:
    """A folder of migrations, with `env.py` and `versions/`, and the table of their state."""

    folder: Path
    version_table: str
    job: str
    """The module that applies these migrations, for messages."""
    custom: Path | None = None
    """The folder of the customer's migrations, which are applied after these."""

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
        if problem := self._unusable(found):
            return f"The database cannot be used: {problem}"
        if found != self._scripts.get_current_head():
            return self._outdated(found)
        return self._customer.problem(connection) if self._customer else None

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
                before = self._revisions(connection)
                self._apply(connection, revision)
                return before, self._revisions(connection)
        except CommandError as error:
            raise SchemaError(f"The database was not changed. {error}") from error
        except (SQLAlchemyError, OSError) as error:
            raise SchemaError(f"The database was not changed. {refusal(error)}") from error
        finally:
            engine.dispose()

    def _apply(self, connection: Connection, revision: str) -> None:
        found = self._revision(connection)
        if problem := self._unusable(found):
            raise SchemaError(f"The database was not changed: {problem}")
        customer = self._customer
        if found and customer and found not in self._known:
            self._hand_over(connection, found, customer)
        config = self._config
        config.attributes |= {"connection": connection, "table": self.version_table}
        command.upgrade(config, revision)
        if customer:
            customer._apply(connection, "head")

    def _hand_over(self, connection: Connection, found: str, customer: "CustomerHistory") -> None:
        """Move a revision that was in this history, until its file was moved, to the customer's."""
        *_, first = customer._scripts.iterate_revisions(found, "base")
        follows = getattr(first.module, "follows", None)
        if follows not in self._known:
            raise SchemaError(
                f'The database was not changed: {first.path} needs a line `follows = "…"`, with '
                "the framework's revision that it followed."
            )
        customer._context(connection).stamp(customer._scripts, found)
        versions = table(self.version_table, column("version_num"))
        connection.execute(update(versions).values(version_num=follows))

    def _unusable(self, found: str | None) -> str | None:
        if len(heads := self._scripts.get_heads()) > 1:
            return self._heads_advice(", ".join(sorted(heads)))
        known = self._known | (self._customer._known if self._customer else set())
        return None if found is None or found in known else self._unknown(found)

    def _heads_advice(self, heads: str) -> str:
        return (
            f"{self.folder / 'versions'} has more than one last migration ({heads}). Move your own "
            f"to {self.custom}; in the first of them, set `down_revision = None` and put the "
            "framework's revision that it followed into a line `follows = …`."
        )

    def _unknown(self, found: str) -> str:
        return f"it {NEWER}"

    def _outdated(self, found: str | None) -> str:
        if found is None:
            return self.empty
        return (
            "The database is of an older release than this code: back it up, "
            f"then run `{self.command}`."
        )

    def _revisions(self, connection: Connection) -> str | None:
        found = [self._revision(connection)]
        if self._customer:
            found.append(self._customer._revision(connection))
        return " and ".join(filter(None, found)) or None

    def _revision(self, connection: Connection) -> str | None:
        return self._context(connection).get_current_revision()

    def _context(self, connection: Connection) -> MigrationContext:
        options = {"version_table": self.version_table}
        return MigrationContext.configure(connection, opts=options)

    @property
    def _known(self) -> set[str]:
        return {script.revision for script in self._scripts.walk_revisions()}

    @property
    def _customer(self) -> "CustomerHistory | None":
        if self.custom is None or not self.custom.is_dir():
            return None
        return CustomerHistory(self.folder, "custom_version", self.job, self.custom)

    @cached_property
    def _scripts(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self._config)

    @property
    def _config(self) -> Config:
        # There is no alembic.ini.
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("version_locations", str(self._versions))
        config.set_main_option("path_separator", "newline")
        return config

    @property
    def _versions(self) -> Path:
        return self.folder / "versions"


class CustomerHistory(History):
    """The customer's migrations in `custom`, with the `env.py` of the framework's."""

    def _heads_advice(self, heads: str) -> str:
        return (
            f"{self.custom} has more than one last migration ({heads}): one must name the other "
            "as its `down_revision`."
        )

    def _unknown(self, found: str) -> str:
        return f"its revision {found} is not in {self.custom}: get the file of that migration."

    def _outdated(self, found: str | None) -> str:
        return (
            f"Migrations in {self.custom} are not applied: back up the database, "
            f"then run `{self.command}`."
        )

    @property
    def _versions(self) -> Path:
        return self.custom or self.folder

    @property
    def _customer(self) -> None:
        return None


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
