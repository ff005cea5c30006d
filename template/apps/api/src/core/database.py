"""Access to the platform's database, and whether its schema is that of this release."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from apps.api.src.core.migrations import HISTORY
from shared.database import UNREACHABLE, create_engine, refusal
from shared.settings import Settings


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
                return HISTORY.empty
            async with self.engine.connect() as connection:
                problem = await connection.run_sync(HISTORY.problem)
        except (SQLAlchemyError, OSError) as error:
            # Anyone may read this; PostgreSQL's words name the server and the user.
            return refusal(error) if sqlite else UNREACHABLE
        self._current = problem is None
        return problem

    async def require_current(self) -> None:
        """Refuse the request (503) until the schema is that of this release."""
        if not self._current and (detail := await self.problem()):
            raise HTTPException(503, detail)


def _exists(engine: AsyncEngine) -> bool:
    # Connecting would create the file.
    return Path(engine.url.database or "").exists()


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A database session for one request; what is not committed is rolled back."""
    database: Database = request.app.state.database
    await database.require_current()
    async with database.session() as session:
        yield session


# The session ends before the answer is sent, so that a stream holds no connection.
DbSession = Annotated[AsyncSession, Depends(get_session, scope="function")]
