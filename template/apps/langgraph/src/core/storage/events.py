"""The stored events of runs, in chunks."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.records import ACTIVE
from apps.langgraph.src.core.storage.tables import run_events, runs


class Events:
    """The table of events; `Leases` stores the last ones of a run."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store chunks, except those of deleted runs."""
        try:
            await self._write(partial(_insert, rows=rows))
        except IntegrityError:
            for row in rows:
                with contextlib.suppress(IntegrityError):
                    await self._write(partial(_insert, rows=[row]))

    async def after(self, run_id: str, last_id: int) -> list[str]:
        """The chunks of a run with events after `last_id`, in order."""
        query = (
            select(run_events.c.events)
            .where(run_events.c.run_id == run_id, run_events.c.last_id > last_id)
            .order_by(run_events.c.last_id)
        )
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    async def prune(self, before: datetime) -> None:
        """Delete the events of runs that ended before a moment; the runs stay."""
        # Starts from the events, because few runs still have any.
        ended = exists().where(
            runs.c.run_id == run_events.c.run_id,
            runs.c.status.not_in(ACTIVE),
            runs.c.updated_at < before,
        )
        await self._write(lambda c: c.execute(delete(run_events).where(ended)))


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    connection.execute(insert(run_events), rows)
