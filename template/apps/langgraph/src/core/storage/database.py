"""Opens the storage of the agents service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from sqlalchemy import text

from apps.langgraph.src.core.storage.access import Database, open_database
from apps.langgraph.src.core.storage.checkpoints import open_checkpointer
from apps.langgraph.src.core.storage.events import Events
from apps.langgraph.src.core.storage.migrations import HISTORY
from apps.langgraph.src.core.storage.process_lock import process_lock
from apps.langgraph.src.core.storage.runs import Runs
from apps.langgraph.src.core.storage.threads import Threads
from apps.langgraph.src.core.storage.webhooks import Webhooks
from shared.database import create_threads_engine
from shared.migrations import SchemaError
from shared.settings import Settings


@dataclass(frozen=True)
class Storage:
    """Everything the service keeps."""

    database: Database
    threads: Threads
    runs: Runs
    events: Events
    webhooks: Webhooks
    checkpointer: BaseCheckpointSaver[Any]

    async def delete_threads(self, thread_ids: list[str]) -> None:
        """Remove threads with all that belongs to them; after a crash in between, again."""
        for thread_id in thread_ids:
            await self.checkpointer.adelete_thread(thread_id)
        await self.threads.delete(thread_ids)

    async def check(self) -> None:
        """Raise when the database does not answer."""
        await self.database.read(lambda c: c.execute(text("SELECT 1")))


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """The storage that the settings name, for as long as the block runs.

    Raises `SchemaError`, and `DatabaseInUseError` on SQLite.
    """
    async with AsyncExitStack() as stack:
        if settings.database.kind == "sqlite":
            await stack.enter_async_context(process_lock(settings.data_dir / "agents.lock"))
        database = await stack.enter_async_context(
            open_database(create_threads_engine(settings.database_url("agents")))
        )
        if problem := await database.read(HISTORY.problem):
            raise SchemaError(problem)
        checkpointer = await stack.enter_async_context(
            open_checkpointer(settings.database_url("checkpoints"))
        )
        runs = Runs(database)
        if settings.database.kind == "sqlite":
            # The process that held these leases is dead, or the lock would not be ours.
            await runs.expire_all()
        yield Storage(
            database,
            Threads(database),
            runs,
            Events(database),
            Webhooks(database),
            checkpointer,
        )
