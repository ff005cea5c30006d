"""LangGraph's checkpointers, each executed in a dedicated thread.

LangGraph's asynchronous variants switch to a thread, or to the event loop, for every statement.
Here a whole checkpoint is passed to the thread, in a batch with others of the same moment.
"""

import asyncio
import copy
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool
from sqlalchemy import make_url

from apps.langgraph.src.core.storage.batches import Batches
from shared.database import CONNECT_TIMEOUT, SQLITE_BUSY_TIMEOUT
from shared.outages import outage

# Checkpoints per read: each contains a whole state.
PAGE = 20

T = TypeVar("T")
Write = Callable[[], Any]


class CheckpointsUnreachableError(Exception):
    """The database is away; a run continues from its last checkpoint later."""


@dataclass
class RunWrites:
    """The writes of one run, shared by all copies of its checkpointer.

    Attributes:
        new_thread: the thread has no checkpoint, so the first read is skipped.
        wait: the graph waits for each write.
        pending: writes for which the graph has not waited.
        failed: the error of one of them; later ones are not executed.
    """

    new_thread: bool
    wait: bool
    pending: list[asyncio.Future[Any]] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)


class _InThread(BaseCheckpointSaver[Any]):
    """The asynchronous methods of a checkpointer, on top of its synchronous ones.

    Attributes:
        thread: executes all calls.
        writes: batches of writes, in the same thread.
        run: set in the copy for one run.
    """

    thread: Executor
    writes: Batches[Write]
    run: RunWrites | None = None

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `get_tuple`."""
        if self.run and self.run.new_thread:
            self.run.new_thread = False
            return None
        return await self._call(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """See `list`. `config` must name a thread: other threads may have equal checkpoint IDs."""
        while limit is None or limit > 0:
            size = PAGE if limit is None else min(limit, PAGE)
            read = partial(self._page, config, filter=filter, before=before, limit=size)
            page = await self._call(read)
            for found in page:
                yield found
            if len(page) < size:
                return
            before = page[-1].config
            limit = None if limit is None else limit - size

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `put`, and `_without_nul`."""
        checkpoint = _without_nul(checkpoint)
        await self._write(partial(self.put, config, checkpoint, metadata, new_versions))
        place = {name: config["configurable"][name] for name in ("thread_id", "checkpoint_ns")}
        return {"configurable": {**place, "checkpoint_id": checkpoint["id"]}}

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """See `put_writes`."""
        await self._write(partial(self.put_writes, config, writes, task_id, task_path))

    async def written(self) -> None:
        """Wait for the pending writes of the run. Raises their first error."""
        if self.run and self.run.pending:
            self.writes.begin()
            # Unlike `gather`, this does not cancel the writes when it is cancelled.
            done, _ = await asyncio.wait(self.run.pending)
            if errors := [error for one in done if (error := one.exception())]:
                raise errors[0]

    async def adelete_thread(self, thread_id: str) -> None:
        """See `delete_thread`."""
        await self._call(self.delete_thread, thread_id)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """See `get_delta_channel_history`."""
        return await self._call(
            lambda: self.get_delta_channel_history(config=config, channels=channels)
        )

    def _page(self, config: RunnableConfig | None, **options: Any) -> list[CheckpointTuple]:
        return list(self.list(config, **options))

    async def _write(self, write: Write) -> None:
        run = self.run
        if run is None or run.wait:
            await self.writes.execute(write)
            return
        run.pending = [one for one in run.pending if not one.done() or one.exception()]
        run.pending.append(self.writes.execute_later(write, run.failed))

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        # Earlier writes are executed first.
        self.writes.begin()
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *args)


class Sqlite(_InThread, SqliteSaver):
    """Checkpoints in SQLite."""

    def __init__(self, connection: sqlite3.Connection, thread: Executor) -> None:
        super().__init__(connection)
        self.thread, self.writes = thread, Batches(thread, self.together)

    def together(self, writes: Sequence[Write]) -> list[Any]:
        """Execute writes, each with its commit."""
        return [write() for write in writes]


class Postgres(_InThread, PostgresSaver):
    """Checkpoints in PostgreSQL."""

    def __init__(self, pool: ConnectionPool[Connection[DictRow]], thread: Executor) -> None:
        super().__init__(pool)
        self.thread, self.writes = thread, Batches(thread, self.together)
        self._pool = pool
        # The connection of the current batch, in a list that copies of this object share.
        self._shared: list[Connection[DictRow]] = []

    def together(self, writes: Sequence[Write]) -> list[Any]:
        """Execute writes with one round trip and one commit."""
        with _explained(), self._pool.connection() as connection, connection.pipeline():
            self._shared.append(connection)
            try:
                return [write() for write in writes]
            finally:
                self._shared.clear()

    # Private in LangGraph. If a version gets its connections elsewhere, writes wait forever for the
    # pool's only connection, and every test on PostgreSQL fails.
    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Cursor[DictRow]]:
        if not self._shared:
            with _explained(), super()._cursor(pipeline=pipeline) as cursor:
                yield cursor
            return
        with self._shared[0].cursor(binary=True, row_factory=dict_row) as cursor:
            yield cursor


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors that mean an outage into `CheckpointsUnreachableError`."""
    try:
        yield
    except psycopg.Error as error:
        if text := outage(error):
            raise CheckpointsUnreachableError(text) from error
        raise


def _without_nul(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint without NUL characters, which PostgreSQL's JSON cannot store.

    Used with both databases, so that they store the same. Only values that are strings are JSON.
    """
    values = checkpoint["channel_values"]
    if not any(isinstance(value, str) and "\0" in value for value in values.values()):
        return checkpoint
    clean = {
        name: value.replace("\0", "") if isinstance(value, str) else value
        for name, value in values.items()
    }
    return {**checkpoint, "channel_values": clean}


def for_run(graph: Any, *, new_thread: bool, wait: bool) -> Any:
    """A copy of a graph and its checkpointer for one run.

    With `wait` the graph waits for each write. Without it, the run must end with
    `graph.checkpointer.written()`. `new_thread`: the thread has no checkpoint yet.
    """
    graph = copy.copy(graph)
    graph.checkpointer = copy.copy(graph.checkpointer)
    graph.checkpointer.run = RunWrites(new_thread, wait)
    return graph


@asynccontextmanager
async def open_checkpointer(url: str) -> AsyncIterator[Sqlite | Postgres]:
    """The checkpointer for a SQLAlchemy URL; `setup_checkpointer` creates its tables.

    SQLite has a separate file for checkpoints, so that their writes and those of runs do not wait
    for each other.
    """
    parsed = make_url(url)
    with ThreadPoolExecutor(1, "checkpoints") as thread:
        if parsed.get_backend_name() == "sqlite":
            file = parsed.database or ":memory:"
            with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT}")
                connection.execute("PRAGMA synchronous = NORMAL")
                yield Sqlite(connection, thread)
            return
        conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        with ConnectionPool[Connection[DictRow]](
            conninfo,
            min_size=1,
            max_size=1,
            # The server or a firewall may have closed an idle connection.
            check=ConnectionPool.check_connection,
            # After an outage, connect at the next use instead of after ever longer pauses.
            timeout=CONNECT_TIMEOUT,
            reconnect_timeout=CONNECT_TIMEOUT,
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        ) as pool:
            yield Postgres(pool, thread)


async def setup_checkpointer(checkpointer: Sqlite | Postgres) -> None:
    """Create or migrate the checkpointer's tables."""
    await asyncio.get_running_loop().run_in_executor(checkpointer.thread, checkpointer.setup)
