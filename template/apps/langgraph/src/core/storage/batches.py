"""Executes work in a thread, in batches that share a commit."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

W = TypeVar("W")
Settled = tuple[Any, Exception | None]
"""A result, or the error instead."""

# How long (seconds) an un-awaited work may stay queued so that it can share a batch.
GATHER = 0.005


class Batches(Generic[W]):
    """Executes works in a thread; works that are queued at the same time form a batch.

    `together` returns the results of a batch, or raises after it has rolled back: then each work is
    executed alone.
    """

    def __init__(self, thread: Executor, together: Callable[[Sequence[W]], Sequence[Any]]) -> None:
        self._thread = thread
        self._together = together
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Queued[W]] = deque()
        # Whether the thread is about to read the queue.
        self._submitted = False
        self._timer: asyncio.TimerHandle | None = None

    def execute(self, work: W) -> asyncio.Future[Any]:
        """The result or error of `work`, executed at once."""
        future = self.execute_later(work, [])
        self.begin()
        return future

    def execute_later(self, work: W, failed: list[Exception]) -> asyncio.Future[Any]:
        """The result or error of `work`, executed after `GATHER` seconds or with `begin`.

        Works that share a list `failed` are executed in order, and none after the first error.
        """
        future = self._loop.create_future()
        self._queue.append(_Queued(work, future, failed))
        if self._timer is None:
            self._timer = self._loop.call_later(GATHER, self.begin)
        return future

    def begin(self) -> None:
        """Execute all queued works."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._submitted:
            self._submitted = True
            self._thread.submit(self._execute)

    def _execute(self) -> None:
        # Reset before reading the queue: later works need another call.
        self._submitted = False
        if batch := [self._queue.popleft() for _ in range(len(self._queue))]:
            settled = self._settle(batch)
            futures = [queued.future for queued in batch]
            self._loop.call_soon_threadsafe(_resolve, futures, settled)

    def _settle(self, batch: "Sequence[_Queued[W]]") -> list[Settled]:
        if len(batch) > 1 and not any(queued.failed for queued in batch):
            with contextlib.suppress(Exception):
                results = self._together([queued.work for queued in batch])
                return [(result, None) for result in results]
        return [self._alone(queued) for queued in batch]

    def _alone(self, queued: "_Queued[W]") -> Settled:
        if queued.failed:
            return None, queued.failed[0]
        try:
            [result] = self._together([queued.work])
        except Exception as error:
            queued.failed.append(error)
            return None, error
        return result, None


@dataclass(frozen=True)
class _Queued(Generic[W]):
    work: W
    future: asyncio.Future[Any]
    failed: list[Exception]


def _resolve(futures: Sequence[asyncio.Future[Any]], settled: Sequence[Settled]) -> None:
    for future, (result, error) in zip(futures, settled, strict=True):
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
