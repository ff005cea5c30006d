"""The stored events of runs, in chunks."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.records import ACTIVE
from apps.langgraph.src.core.storage.tables import run_events, runs

# Bytes of events from which a chunk ends.
CHUNK = 1_000_000

# Built once, see `runs`.
INSERT_EVENTS = insert(run_events)


class NewEvents(NamedTuple):
    """Events of a run that are not stored yet: ID, name and JSON."""

    run_id: str
    events: Sequence[tuple[int, str, bytes]]


class Events:
    """The table of events; `Leases` stores the last ones of a run."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def append(self, new: Sequence[NewEvents]) -> None:
        """Store events, except those of deleted runs."""
        try:
            await self._write(partial(insert_events, new=new))
        except IntegrityError:
            for one in new:
                with contextlib.suppress(IntegrityError):
                    await self._write(partial(insert_events, new=[one]))

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


def insert_events(connection: Connection, new: Sequence[NewEvents]) -> None:
    """Store events in chunks. In the thread of the database, because events can be large."""
    if rows := [row for run_id, events in new for row in _chunks(run_id, events)]:
        connection.execute(INSERT_EVENTS, rows)


def _chunks(run_id: str, events: Sequence[tuple[int, str, bytes]]) -> Iterator[dict[str, Any]]:
    lines: list[bytes] = []
    size = 0
    for number, (id_, name, data) in enumerate(events, 1):
        lines.append(b'{"id":%d,"name":%s,"data":%s}' % (id_, orjson.dumps(name), data))
        size += len(data)
        if size > CHUNK or number == len(events):
            yield {"run_id": run_id, "last_id": id_, "events": b"\n".join(lines).decode()}
            lines, size = [], 0
