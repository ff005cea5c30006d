"""Access to the platform's database, with a check of its schema."""

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
    """The engine and its sessions."""

    def __init__(self, settings: Settings) -> None:
        self.engine: AsyncEngine = create_engine(settings.database_url("platform"))
        self.session = async_sessionmaker(self.engine, expire_on_commit=False)
        self._current = False

    async def problem(self) -> str | None:
        """Why the database cannot be used, and what to do; None if it can."""
        sqlite = self.engine.dialect.name == "sqlite"
        try:
            # Connecting would create the file.
            if sqlite and not Path(self.engine.url.database or "").exists():  # noqa: ASYNC240
                return HISTORY.empty
            async with self.engine.connect() as connection:
                problem = await connection.run_sync(HISTORY.problem)
        except (SQLAlchemyError, OSError) as error:
            # Public: PostgreSQL's message names the server and the user.
            return refusal(error) if sqlite else UNREACHABLE
        self._current = problem is None
        return problem

    async def require_current(self) -> None:
        """Refuse the request (503) unless the schema is that of this release."""
        if not self._current and (detail := await self.problem()):
            raise HTTPException(503, detail)


async def begin_write(session: AsyncSession) -> None:
    """Begin a transaction before its first write, so that on SQLite no other writer comes between.

    SQLite's driver does not begin a transaction for SELECT by itself.
    """
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("BEGIN IMMEDIATE")


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A database session for one request; uncommitted changes are rolled back."""
    database: Database = request.app.state.database
    await database.require_current()
    async with database.session() as session:
        yield session


# The session ends before the response is sent, so that a stream holds no connection.
DbSession = Annotated[AsyncSession, Depends(get_session, scope="function")]
