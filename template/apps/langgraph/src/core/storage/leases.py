"""Leases: the runs that a replica executes. A run whose lease has ended is lost and taken over."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langgraph_sdk.schema import RunStatus, ThreadStatus
from sqlalchemy import Connection, and_, bindparam, exists, or_, select, update

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.events import NewEvents, insert_events
from apps.langgraph.src.core.storage.records import Run, now
from apps.langgraph.src.core.storage.tables import runs, threads
from apps.langgraph.src.core.storage.threads import FREE_THREAD, free_values

# A run that was lost this often without progress is not tried again.
MAX_LOSSES = 10

# Statements of every run are built once: building one takes longer than executing it.
_HELD = update(runs).where(
    runs.c.run_id == bindparam("this_run"),
    runs.c.status == "running",
    runs.c.owner == bindparam("this_owner"),
    runs.c.attempt == bindparam("this_attempt"),
)
FINISH = _HELD.values(
    status=bindparam("new_status"),
    error=bindparam("new_error"),
    usage=bindparam("new_usage"),
    cancelled=bindparam("new_cancelled"),
    updated_at=bindparam("new_moment"),
    webhook_due=bindparam("new_due"),
    owner=None,
    lease_until=None,
)
SPEND = _HELD.values(usage=bindparam("new_usage"), seconds=bindparam("new_seconds"))
RELEASE = SPEND.values(status="pending", owner=None, lease_until=None)
_EARLIER, _OTHER = runs.alias(), runs.alias()
_FIRST_OF_THREAD = ~exists().where(
    _EARLIER.c.thread_id == runs.c.thread_id,
    _EARLIER.c.status == "pending",
    _EARLIER.c.run_id < runs.c.run_id,
)
_THREAD_IDLE = ~exists().where(_OTHER.c.thread_id == runs.c.thread_id, _OTHER.c.status == "running")
_LOST = and_(runs.c.status == "running", runs.c.lease_until < bindparam("this_moment"))
_READY = and_(runs.c.status == "pending", _FIRST_OF_THREAD, _THREAD_IDLE)
CLAIM = (
    select(runs)
    .where(or_(_LOST, _READY))
    .order_by(runs.c.run_id)
    .limit(bindparam("this_limit"))
    .with_for_update(skip_locked=True, of=runs)
)


@dataclass(frozen=True)
class Spent:
    """What a run has used so far: usage by model, and seconds of execution."""

    usage: dict[str, Any] | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The end of a run; `cancelled` says whether it is "interrupted" by a cancellation."""

    status: RunStatus
    thread_status: ThreadStatus
    usage: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    cancelled: bool = False


class Leases:
    """The leases in the table of runs."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def claim(self, owner: str, limit: int, lease_until: float) -> tuple[list[Run], int]:
        """Take up to `limit` runs that are pending or lost, oldest first.

        Returns them, and the number of runs given up after `MAX_LOSSES`.
        """
        values = {"this_moment": time.time(), "this_limit": limit}

        def claim(connection: Connection) -> tuple[list[Run], int]:
            claimed, given_up = [], 0
            for row in connection.execute(CLAIM, values):
                run = Run.from_row(row)
                losses = run.losses + (run.status == "running")
                if losses >= MAX_LOSSES:
                    _give_up(connection, run)
                    given_up += 1
                    continue
                changes: dict[str, Any] = {
                    "status": "running",
                    "owner": owner,
                    "lease_until": lease_until,
                    "attempt": run.attempt + 1,
                    "losses": losses,
                }
                this = runs.c.run_id == run.run_id
                connection.execute(update(runs).where(this).values(**changes))
                claimed.append(replace(run, **changes))
            if claimed:
                # On PostgreSQL FREE_THREAD does not see a run that is queued at the same time.
                of_claimed = threads.c.thread_id.in_([run.thread_id for run in claimed])
                connection.execute(update(threads).where(of_claimed).values(status="busy"))
            return claimed, given_up

        return await self._write(claim)

    async def renew(self, owner: str, run_ids: Sequence[str], lease_until: float) -> set[str]:
        """Extend a replica's leases on the runs that it executes; returns those it still holds.

        A run whose claim was committed although the connection broke is not among `run_ids`: its
        lease ends, and it is taken over.
        """

        def renew(connection: Connection) -> set[str]:
            mine = and_(
                runs.c.run_id.in_(run_ids), runs.c.owner == owner, runs.c.status == "running"
            )
            connection.execute(update(runs).where(mine).values(lease_until=lease_until))
            return set(connection.execute(select(runs.c.run_id).where(mine)).scalars())

        return await self._write(renew)

    async def release(self, run: Run, spent: Spent, events: list[NewEvents]) -> None:
        """Put an unfinished run back into the queue, with the last of its events."""

        def release(connection: Connection) -> None:
            released = connection.execute(RELEASE, _spent_values(run, spent))
            if released.rowcount:
                insert_events(connection, events)

        await self._write(release)

    async def finish(self, run: Run, outcome: Outcome, events: list[NewEvents]) -> bool:
        """Store the end of a run, with the last of its events.

        Returns False, and stores nothing, if the replica no longer holds the run.
        """
        run_values = {
            **_held_values(run),
            "new_status": outcome.status,
            "new_error": outcome.error,
            "new_usage": outcome.usage,
            "new_cancelled": outcome.cancelled,
            "new_moment": now(),
            "new_due": time.time() if run.request.webhook else None,
        }
        thread_values = free_values(run.thread_id, outcome.thread_status)

        def finish(connection: Connection) -> bool:
            if not connection.execute(FINISH, run_values).rowcount:
                return False
            insert_events(connection, events)
            connection.execute(FREE_THREAD, thread_values)
            return True

        return await self._write(finish)

    async def note_progress(self, run: Run, checkpoint_id: str) -> None:
        """Reset the losses of a run that has a newer checkpoint than at its last loss."""
        if run.checkpoint_id == checkpoint_id:
            return
        query = update(runs).where(runs.c.run_id == run.run_id)
        values = {"losses": 0, "checkpoint_id": checkpoint_id}
        await self._write(lambda c: c.execute(query, values))

    async def note_spent(self, spent: list[tuple[Run, Spent]]) -> None:
        """Store what running runs have used, for their next attempts if they are lost."""
        values = [_spent_values(run, one) for run, one in spent]
        await self._write(lambda c: c.execute(SPEND, values))

    async def cancelled(self, owner: str) -> list[str]:
        """The running runs of a replica that are marked as cancelled."""
        query = select(runs.c.run_id).where(
            runs.c.owner == owner, runs.c.status == "running", runs.c.cancelled
        )
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    async def expire_all(self) -> None:
        """End all leases, at the start of the only process that uses the database."""
        query = update(runs).where(runs.c.status == "running").values(lease_until=0.0)
        await self._write(lambda c: c.execute(query))


def _held_values(run: Run) -> dict[str, Any]:
    return {"this_run": run.run_id, "this_owner": run.owner, "this_attempt": run.attempt}


def _spent_values(run: Run, spent: Spent) -> dict[str, Any]:
    return {**_held_values(run), "new_usage": spent.usage, "new_seconds": spent.seconds}


def _give_up(connection: Connection, run: Run) -> None:
    error = {
        "error": "RunLost",
        "message": f"The service was lost {MAX_LOSSES} times at the same place of this run.",
    }
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run.run_id)
        .values(
            status="error",
            error=error,
            owner=None,
            lease_until=None,
            updated_at=now(),
            webhook_due=time.time() if run.request.webhook else None,
        )
    )
    connection.execute(
        update(threads).where(threads.c.thread_id == run.thread_id).values(status="error")
    )
