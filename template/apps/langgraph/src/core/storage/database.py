"""The database connections of a replica: one for writes and some for reads, each in a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from apps.langgraph.src.core.storage.batches import Batches

T = TypeVar("T")
Work = Callable[[Connection], T]

READERS = 4


class Database:
    """Executes functions on connections.

    All writes use one connection, and writes at the same time share a commit, the slowest part of a
    write. So SQLite never has two writers.
    """

    def __init__(self, engine: Engine, writer: Executor, readers: Executor) -> None:
        self.engine = engine
        self._writes = Batches(writer, self._write)
        self._readers = readers
        # Opened in the writer's thread and kept: a checkout from the pool is as slow as a write.
        self._connection: Connection | None = None
        self._loop = asyncio.get_running_loop()

    async def read(self, work: Work[T]) -> T:
        """The result of `work`, a function that only reads. Raises its error."""
        return await self._loop.run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """The result of `work`, after its commit. Raises its error after a rollback.

        `work` is called again, alone, if another function in its transaction fails.
        """
        result: T = await self._writes.execute(work)
        return result

    def _read(self, work: Work[T]) -> T:
        with self.engine.connect() as connection:
            return work(connection)

    def _write(self, works: Sequence[Work[Any]]) -> list[Any]:
        if self._connection is None or self._connection.invalidated:
            self._connection = self.engine.connect()
        with self._connection.begin():
            return [work(self._connection) for work in works]


@asynccontextmanager
async def open_database(engine: Engine) -> AsyncIterator[Database]:
    """The connections, closed with the block after pending writes are finished."""
    try:
        with (
            ThreadPoolExecutor(READERS, "database-reader") as readers,
            ThreadPoolExecutor(1, "database-writer") as writer,
        ):
            yield Database(engine, writer, readers)
    finally:
        engine.dispose()
