"""LangGraph's own checkpointers, each in a thread of its own.

Their asynchronous variants hand every statement to a thread, or to the event loop, one by one;
here a checkpoint is handed over as a whole.
"""

import asyncio
import copy
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

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
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool
from sqlalchemy import make_url

from shared.database import SQLITE_BUSY_TIMEOUT

T = TypeVar("T")


class _InThread(BaseCheckpointSaver[Any]):
    """The asynchronous half of a checkpointer that has the other one.

    Attributes:
        thread: executes the calls, in their order.
        new_thread: whether the first call reads a conversation that has no checkpoint yet.
    """

    thread: Executor
    new_thread = False

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See `get_tuple`."""
        if self.new_thread:
            self.new_thread = False
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
        """See `list`."""

        def collect() -> Sequence[CheckpointTuple]:
            return tuple(self.list(config, filter=filter, before=before, limit=limit))

        for found in await self._call(collect):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See `put`."""
        return await self._call(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """See `put_writes`."""
        await self._call(self.put_writes, config, writes, task_id, task_path)

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

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *args)


class Sqlite(_InThread, SqliteSaver):
    """Checkpoints in SQLite."""


class Postgres(_InThread, PostgresSaver):
    """Checkpoints in PostgreSQL."""


def for_new_thread(graph: Any) -> Any:
    """A copy of a graph for its first run on a thread that has no checkpoint yet."""
    graph = copy.copy(graph)
    graph.checkpointer = copy.copy(graph.checkpointer)
    graph.checkpointer.new_thread = True
    return graph


@asynccontextmanager
async def open_checkpointer(url: str) -> AsyncIterator[Sqlite | Postgres]:
    """The checkpointer for a SQLAlchemy URL; its tables are made by `setup_checkpointer`.

    SQLite keeps checkpoints in a file of their own, so that they and the runs do not wait for
    each other's writes.
    """
    parsed = make_url(url)
    saver: Sqlite | Postgres
    with ThreadPoolExecutor(1, "checkpoints") as thread:
        if parsed.get_backend_name() == "sqlite":
            file = parsed.database or ":memory:"
            with closing(sqlite3.connect(file, check_same_thread=False)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT}")
                connection.execute("PRAGMA synchronous = NORMAL")
                saver = Sqlite(connection)
                saver.thread = thread
                yield saver
            return
        conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        with ConnectionPool[Connection[DictRow]](
            conninfo,
            min_size=1,
            max_size=1,
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        ) as pool:
            saver = Postgres(pool)
            saver.thread = thread
            yield saver


async def setup_checkpointer(checkpointer: Sqlite | Postgres) -> None:
    """Make or migrate the checkpointer's tables."""
    await asyncio.get_running_loop().run_in_executor(checkpointer.thread, checkpointer.setup)
