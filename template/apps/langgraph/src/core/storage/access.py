"""The connections of a replica: one that writes, and some that read, in threads of their own."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
W = TypeVar("W")
Work = Callable[[Connection], T]
Outcome = tuple[Any, Exception | None]

# Seconds for which works that nobody waits for yet wait for others.
GATHER = 0.005
READERS = 4


class Batches(Generic[W]):
    """Executes works in a thread; those that are asked for at the same time, together.

    `together` returns the results of works, or raises and has done nothing that may not be done
    again: then each work is executed alone.
    """

    def __init__(self, thread: Executor, together: Callable[[Sequence[W]], Sequence[Any]]) -> None:
        self._thread = thread
        self._together = together
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Asked[W]] = deque()
        # Whether the thread is going to look into the queue.
        self._told = False
        self._beginning: asyncio.TimerHandle | None = None

    def ask(self, work: W) -> asyncio.Future[Any]:
        """The result of `work`, or what it raises."""
        future = self.ask_later(work, [])
        self.begin()
        return future

    def ask_later(self, work: W, failed: list[Exception]) -> asyncio.Future[Any]:
        """The same, begun in a moment, or with `begin`.

        Works that share a list `failed` are executed in order, and none after one that failed.
        """
        future = self._loop.create_future()
        self._queue.append(_Asked(work, future, failed))
        if self._beginning is None:
            self._beginning = self._loop.call_later(GATHER, self.begin)
        return future

    def begin(self) -> None:
        """Execute what has been asked for."""
        if self._beginning is not None:
            self._beginning.cancel()
            self._beginning = None
        if not self._told:
            self._told = True
            self._thread.submit(self._execute)

    def _execute(self) -> None:
        # Before looking, or what is queued after the last look would stay there.
        self._told = False
        if batch := [self._queue.popleft() for _ in range(len(self._queue))]:
            outcomes = self._outcomes(batch)
            futures = [asked.future for asked in batch]
            self._loop.call_soon_threadsafe(_resolve, futures, outcomes)

    def _outcomes(self, batch: "Sequence[_Asked[W]]") -> list[Outcome]:
        if len(batch) > 1 and not any(asked.failed for asked in batch):
            with contextlib.suppress(Exception):
                results = self._together([asked.work for asked in batch])
                return [(result, None) for result in results]
        return [self._alone(asked) for asked in batch]

    def _alone(self, asked: "_Asked[W]") -> Outcome:
        if asked.failed:
            return None, asked.failed[0]
        try:
            [result] = self._together([asked.work])
        except Exception as error:
            asked.failed.append(error)
            return None, error
        return result, None


class Database:
    """Runs functions on connections.

    All writes go through one connection, and those that are asked for at the same time share a
    commit, which is what a database is slow at; so SQLite never sees two writers.
    """

    def __init__(self, engine: Engine, writer: Executor, readers: Executor) -> None:
        self.engine = engine
        self._writes = Batches(writer, self._write)
        self._readers = readers
        # Opened in the writer's thread and kept: taking it from the pool costs as much as a write.
        self._connection: Connection | None = None
        self._loop = asyncio.get_running_loop()

    async def read(self, work: Work[T]) -> T:
        """The result of `work`, which writes nothing. Raises what it raises."""
        return await self._loop.run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """The result of `work`, after its commit. Raises what it raises, with nothing written.

        `work` may be called twice: again and alone when something else in its transaction fails.
        """
        result: T = await self._writes.ask(work)
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
    """The connections, for as long as the block runs; what is being written then is finished."""
    try:
        with (
            ThreadPoolExecutor(READERS, "database-reader") as readers,
            ThreadPoolExecutor(1, "database-writer") as writer,
        ):
            yield Database(engine, writer, readers)
    finally:
        engine.dispose()


@dataclass(frozen=True)
class _Asked(Generic[W]):
    work: W
    future: asyncio.Future[Any]
    failed: list[Exception]


def _resolve(futures: Sequence[asyncio.Future[Any]], outcomes: Sequence[Outcome]) -> None:
    for future, (result, error) in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
