"""All writes of a replica go through one connection, several in a transaction."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Write = Callable[[Connection], T]

# Writes that share a transaction; more would make the first one wait for the last.
BATCH = 100


class Writer:
    """A queue of writes and the task that commits them.

    Runs that finish at the same time share a commit, which is what a database is slow at, and
    SQLite never sees two writers.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._queue: asyncio.Queue[tuple[Write[Any], asyncio.Future[Any]]] = asyncio.Queue()

    async def __call__(self, write: Write[T]) -> T:
        """The result of `write`, after its commit. Raises what it raises, with nothing written.

        `write` may be called twice: again and alone when another write of its transaction fails.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((write, future))
        return await future

    async def run(self) -> None:
        """Commit what is queued until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                results = await self._commit([write for write, _ in batch])
            except Exception as error:
                if len(batch) == 1:
                    _resolve(batch[0][1], error)
                else:
                    await self._commit_one_by_one(batch)
            else:
                for (_, future), result in zip(batch, results, strict=True):
                    _resolve(future, result)

    async def _commit(self, writes: list[Write[Any]]) -> list[Any]:
        async with self._engine.begin() as connection:
            return await connection.run_sync(lambda sync: [write(sync) for write in writes])

    async def _commit_one_by_one(self, batch: list[tuple[Write[Any], asyncio.Future[Any]]]) -> None:
        for write, future in batch:
            try:
                _resolve(future, (await self._commit([write]))[0])
            except Exception as error:
                _resolve(future, error)


def _resolve(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
