"""LangGraph's own checkpointers, configured for this service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from shared.database import SQLITE_BUSY_TIMEOUT

# Connections for checkpoints; each is held for one statement only.
POOL_SIZE = 8


@asynccontextmanager
async def open_checkpointer(url: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """The checkpointer for a SQLAlchemy URL; its tables are made by `setup_checkpointer`.

    SQLite keeps checkpoints in a file of their own, so that they and the runs do not wait for
    each other's writes.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        async with aiosqlite.connect(parsed.database or ":memory:") as connection:
            await connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT}")
            await connection.execute("PRAGMA synchronous = NORMAL")
            yield AsyncSqliteSaver(connection)
        return
    conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    async with AsyncConnectionPool[AsyncConnection[DictRow]](
        conninfo,
        min_size=1,
        max_size=POOL_SIZE,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    ) as pool:
        yield AsyncPostgresSaver(pool)


async def setup_checkpointer(checkpointer: BaseCheckpointSaver[Any]) -> None:
    """Make or migrate the checkpointer's tables."""
    if isinstance(checkpointer, AsyncPostgresSaver | AsyncSqliteSaver):
        await checkpointer.setup()
