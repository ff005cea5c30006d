"""Bring the database to the schema of this release: `uv run python -m apps.api.src.core.migrate`.

Run as one job before the services start; services only check. Exit code 1 says that the database
is as it was, and standard error why.
"""

import asyncio
import sys

from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from apps.api.src.core.database import NEWER, alembic_config, latest_revision, schema_revision
from shared.database import create_engine, refusal
from shared.settings import Settings, SettingsError, get_settings


async def migrate(settings: Settings, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrade to `revision`; returns the revisions before and after.

    All steps are one transaction on both databases, and a second job that runs at the same time
    waits for the first.
    """
    engine = create_engine(settings.database_url("platform"))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> tuple[str | None, str | None]:
    if connection.dialect.name == "sqlite":
        # SQLite alters a table by replacing it, and what refers to the old one would go with it.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        # The driver begins no transaction for CREATE and ALTER by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7214260001)")
    before = schema_revision(connection)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    return before, schema_revision(connection)


def main() -> None:
    """Migrate and say what was done."""
    try:
        before, after = asyncio.run(migrate(get_settings()))
    except SettingsError as error:
        sys.exit(f"Error: {error}")
    except CommandError:
        sys.exit(f"Error: The database was not changed. {NEWER}")
    except (SQLAlchemyError, OSError) as error:
        sys.exit(f"Error: The database was not changed. {refusal(error)}")
    if before == after == latest_revision():
        print(f"The database is already at revision {after}.")
    else:
        print(f"The database went from revision {before or 'none'} to {after}.")


if __name__ == "__main__":
    main()
