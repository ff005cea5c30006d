"""Access to the platform's database, and whether its schema is that of this release."""

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Annotated

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import Depends, HTTPException, Request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from shared.database import UNREACHABLE, create_engine, refusal
from shared.settings import Settings

MIGRATE = "uv run python -m apps.api.src.core.migrate"
EMPTY = (
    "There is no database yet, or it is empty: `uv run platform dev` makes it, with the "
    f"administrator's account. On a server, run `{MIGRATE}`."
)
OLDER = f"The database schema is not that of this release: back up, then run `{MIGRATE}`."
NEWER = (
    "The database is of a newer release than this code: update the project, "
    "or restore the backup that was made before the update."
)


class Database:
    """The engine, its sessions, and the state of the schema."""

    def __init__(self, settings: Settings) -> None:
        self.engine: AsyncEngine = create_engine(settings.database_url("platform"))
        self.session = async_sessionmaker(self.engine, expire_on_commit=False)
        self._current = False

    async def problem(self) -> str | None:
        """What keeps the database from being used and how to mend it; None if nothing does."""
        sqlite = self.engine.dialect.name == "sqlite"
        try:
            if sqlite and not _exists(self.engine):
                return EMPTY
            async with self.engine.connect() as connection:
                found = await connection.run_sync(schema_revision)
        except (SQLAlchemyError, OSError) as error:
            # Anyone may read this; PostgreSQL's words name the server and the user.
            return refusal(error) if sqlite else UNREACHABLE
        self._current = found == latest_revision()
        if self._current:
            return None
        if found is None:
            return EMPTY
        return OLDER if found in known_revisions() else NEWER

    async def require_current(self) -> None:
        """Refuse the request (503) until the schema is that of this release."""
        if not self._current and (detail := await self.problem()):
            raise HTTPException(503, detail)


def alembic_config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def known_revisions() -> frozenset[str]:
    """Every revision up to that of this release."""
    script = ScriptDirectory.from_config(alembic_config())
    return frozenset(revision.revision for revision in script.walk_revisions())


@cache
def latest_revision() -> str | None:
    """The schema's revision that this release needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def _exists(engine: AsyncEngine) -> bool:
    # Connecting would create the file.
    return Path(engine.url.database or "").exists()


def schema_revision(connection: Connection) -> str | None:
    """The schema's revision that the database has; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A database session for one request; what is not committed is rolled back."""
    database: Database = request.app.state.database
    await database.require_current()
    async with database.session() as session:
        yield session


# The session ends before the answer is sent, so that a stream holds no connection.
DbSession = Annotated[AsyncSession, Depends(get_session, scope="function")]
