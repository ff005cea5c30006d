"""The storage of the agents service: database and checkpoints."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from apps.langgraph.src.core.storage.checkpoints import (
    CheckpointsUnreachableError,
    open_checkpointer,
)
from apps.langgraph.src.core.storage.database import Database, open_database
from apps.langgraph.src.core.storage.events import Events
from apps.langgraph.src.core.storage.leases import Leases
from apps.langgraph.src.core.storage.migrations import HISTORY
from apps.langgraph.src.core.storage.process_lock import process_lock
from apps.langgraph.src.core.storage.runs import Runs
from apps.langgraph.src.core.storage.threads import Threads
from apps.langgraph.src.core.storage.webhooks import Webhooks
from shared.database import create_threads_engine
from shared.migrations import SchemaError
from shared.outages import log_outages, outage
from shared.settings import Settings

# Seconds between two tries to reach the database at the start.
RETRY = 1.0


@dataclass(frozen=True)
class Storage:
    """All data of the service."""

    database: Database
    threads: Threads
    runs: Runs
    leases: Leases
    events: Events
    webhooks: Webhooks
    checkpointer: BaseCheckpointSaver[Any]

    async def delete_threads(self, thread_ids: list[str]) -> None:
        """Delete threads with their runs, events and checkpoints; safe to repeat after a crash."""
        for thread_id in thread_ids:
            await self.checkpointer.adelete_thread(thread_id)
        await self.threads.delete(thread_ids)

    async def check(self) -> None:
        """Raise if the database does not respond."""
        await self.database.read(lambda c: c.execute(text("SELECT 1")))


def is_outage(error: Exception) -> bool:
    """Whether an error means that the database is away, which is in the log already."""
    return isinstance(error, CheckpointsUnreachableError) or outage(error) is not None


async def _problem(database: Database) -> str | None:
    """Why this release cannot use the schema. Waits for a PostgreSQL server that is away."""
    while True:
        try:
            return await database.read(HISTORY.problem)
        except DBAPIError as error:
            if database.engine.dialect.name == "sqlite" or outage(error) is None:
                raise
            await asyncio.sleep(RETRY)


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """The storage that the settings configure, closed with the block.

    Raises `SchemaError`, and `DatabaseInUseError` on SQLite.
    """
    async with AsyncExitStack() as stack:
        if settings.database.kind == "sqlite":
            await stack.enter_async_context(process_lock(settings.data_dir / "agents.lock"))
        database = await stack.enter_async_context(
            open_database(create_threads_engine(settings.database_url("agents")))
        )
        log_outages(database.engine)
        if problem := await _problem(database):
            raise SchemaError(problem)
        checkpointer = await stack.enter_async_context(
            open_checkpointer(settings.database_url("checkpoints"))
        )
        leases = Leases(database)
        if settings.database.kind == "sqlite":
            # This process has the lock, so the last holder of these leases is dead.
            await leases.expire_all()
        yield Storage(
            database,
            Threads(database),
            Runs(database),
            leases,
            Events(database),
            Webhooks(database),
            checkpointer,
        )
