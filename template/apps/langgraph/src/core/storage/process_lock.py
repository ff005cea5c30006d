"""Only one process may use the SQLite files: a lock that ends with the process, even if killed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# How long (seconds) a new process waits for the last one to end.
WAIT = 30


class DatabaseInUseError(Exception):
    """Another process of the agents service uses the SQLite files; the message says what to do."""


@asynccontextmanager
async def process_lock(path: Path) -> AsyncIterator[None]:
    """Hold the lock `path` during the block. Raises `DatabaseInUseError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        try:
            await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise DatabaseInUseError(
                f"Another agents service uses {path.parent}: stop it, or use PostgreSQL, because "
                "SQLite allows only one."
            ) from None
        yield
    finally:
        connection.close()
