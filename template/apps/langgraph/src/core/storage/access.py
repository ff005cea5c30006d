"""The connections of a replica: one that writes, and some that read, in threads of their own."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
Work = Callable[[Connection], T]
Write = tuple[Work[Any], asyncio.Future[Any]]

# Writes that share a transaction; more would make the first one wait for the last.
BATCH = 100
READERS = 4


class Database:
    """Runs functions on connections.

    All writes go through one connection, and those that are asked for at the same time share a
    commit, which is what a database is slow at; so SQLite never sees two writers.
    """

    def __init__(self, engine: Engine, writer: Executor, readers: Executor) -> None:
        self.engine = engine
        self._writer = writer
        self._readers = readers
        # Opened in the writer's thread and kept: taking it from the pool costs as much as a write.
        self._connection: Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Write] = deque()

    async def read(self, work: Work[T]) -> T:
        """The result of `work`, which writes nothing. Raises what it raises."""
        return await self._loop.run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """The result of `work`, after its commit. Raises what it raises, with nothing written.

        `work` may be called twice: again and alone when something else in its transaction fails.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append((work, future))
        self._writer.submit(self._commit)
        return await future

    def _commit(self) -> None:
        """Write what is queued; what a call takes is not there for those that follow."""
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        if batch:
            outcomes = self._write([work for work, _ in batch])
            self._loop.call_soon_threadsafe(_resolve, [future for _, future in batch], outcomes)

    def _read(self, work: Work[T]) -> T:
        with self.engine.connect() as connection:
            return work(connection)

    def _write(self, works: Sequence[Work[Any]]) -> list[tuple[Any, Exception | None]]:
        try:
            if self._connection is None or self._connection.invalidated:
                self._connection = self.engine.connect()
            with self._connection.begin():
                return [(work(self._connection), None) for work in works]
        except Exception as error:
            if len(works) == 1:
                return [(None, error)]
            return [outcome for work in works for outcome in self._write([work])]


@asynccontextmanager
async def open_database(engine: Engine) -> AsyncIterator[Database]:
    """The connections, for as long as the block runs; what is being written then is finished."""
    try:
        with (
            ThreadPoolExecutor(READERS, "database-reader") as readers,
            ThreadPoolExecutor(1, "database-writer") as writer,
        ):
            yield Database(engine, writer, readers)
    finally:
        engine.dispose()


def _resolve(
    futures: Sequence[asyncio.Future[Any]], outcomes: Sequence[tuple[Any, Exception | None]]
) -> None:
    for future, (result, error) in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
