"""The events of a run: in memory while it executes here, and in chunks in the database.

Readers on the replica that executes the run get each event at once. The database gets them a moment
later, many in one row.
"""

import asyncio
from bisect import bisect_right
from typing import NamedTuple

import orjson

from apps.langgraph.src.core.storage.events import NewEvents

# Event numbers of an attempt are lower than those of the next, so that readers continue with the
# right event even if they have seen events that a lost replica did not store.
EVENTS_PER_ATTEMPT = 1 << 32

# How long (seconds) events other than tokens wait, so that readers get several at once: waking a
# reader is as slow as making an event.
GATHER = 0.005


class Event(NamedTuple):
    """An event of a run; `data` is JSON."""

    id: int
    name: str
    data: bytes


class EventLog:
    """The events of one attempt, append-only."""

    def __init__(self, run_id: str, attempt: int) -> None:
        self.run_id = run_id
        self.closed = False
        self._next_id = attempt * EVENTS_PER_ATTEMPT + 1
        self._events: list[Event] = []
        self._stored = 0
        self._changed: asyncio.Future[None] | None = None
        self._waking: asyncio.TimerHandle | None = None

    def append(self, name: str, data: bytes) -> None:
        """Add an event and wake the readers, at once for tokens and soon for others."""
        self._events.append(Event(self._next_id, name, data))
        self._next_id += 1
        if name.startswith("messages"):
            self.wake()
        elif self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(GATHER, self.wake)

    def close(self) -> None:
        """Wake the readers for the last time."""
        self.closed = True
        self.wake()

    def wake(self) -> None:
        """Wake the readers, with or without new events."""
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._changed = None

    @property
    def gathering(self) -> bool:
        """Whether the readers are about to be woken."""
        return self._waking is not None

    def after(self, last_id: int) -> list[Event]:
        """The events after `last_id`."""
        return self._events[bisect_right(self._events, last_id, key=lambda event: event.id) :]

    async def changed(self) -> None:
        """Wait for the next append, close or wake."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        # Readers share the future; one that disconnects must not cancel it.
        await asyncio.shield(self._changed)

    def unstored(self) -> list[NewEvents]:
        """The events since the last call, if there are any."""
        events = self._events[self._stored :]
        self._stored = len(self._events)
        return [NewEvents(self.run_id, events)] if events else []


def read_chunks(chunks: list[str], last_id: int) -> list[Event]:
    """The events after `last_id` in stored chunks."""
    events = []
    for chunk in chunks:
        for line in chunk.split("\n"):
            event = orjson.loads(line)
            if event["id"] > last_id:
                events.append(Event(event["id"], event["name"], orjson.dumps(event["data"])))
    return events
