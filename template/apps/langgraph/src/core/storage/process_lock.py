"""SQLite serves one process: a lock that is free again when the process ends, however it ends."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# A service that restarts waits this long (seconds) for its predecessor to end.
WAIT = 30


class DatabaseInUseError(Exception):
    """Another agents service already works on the SQLite files; the message says what to do."""


@asynccontextmanager
async def process_lock(path: Path) -> AsyncIterator[None]:
    """Hold the lock `path` for as long as the block runs. Raises `DatabaseInUseError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        try:
            await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise DatabaseInUseError(
                f"Another agents service uses {path.parent}. SQLite serves one process; "
                "stop the other one, or use PostgreSQL for several."
            ) from None
        yield
    finally:
        connection.close()
