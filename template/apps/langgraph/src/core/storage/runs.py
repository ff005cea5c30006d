"""Runs: the queue, the leases and the one-run-per-thread rule."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from apps.langgraph.src.core.storage.access import Database
from apps.langgraph.src.core.storage.records import (
    ACTIVE,
    Run,
    RunStatus,
    Thread,
    ThreadStatus,
    now,
)
from apps.langgraph.src.core.storage.tables import run_events, runs, threads
from apps.langgraph.src.core.storage.threads import ThreadNotFoundError

# A run that took this many replicas with it, without coming further, is not tried again.
MAX_LOSSES = 10


# What every run executes is built once: building a statement costs more than executing it.
OWNER = select(threads.c.user_id).where(threads.c.thread_id == bindparam("this_thread"))
INSERT_THREAD, INSERT_RUN, INSERT_EVENTS = insert(threads), insert(runs), insert(run_events)
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
    updated_at=bindparam("new_moment"),
    webhook_due=bindparam("new_due"),
    owner=None,
    lease_until=None,
)
SPEND = _HELD.values(usage=bindparam("new_usage"), seconds=bindparam("new_seconds"))
RELEASE = SPEND.values(status="pending", owner=None, lease_until=None)
FREE_THREAD = (
    update(threads)
    .where(
        threads.c.thread_id == bindparam("this_thread"),
        ~exists().where(runs.c.thread_id == bindparam("this_thread"), runs.c.status.in_(ACTIVE)),
    )
    .values(status=bindparam("new_status"), updated_at=bindparam("new_moment"))
)
_EARLIER, _OTHER = runs.alias(), runs.alias()
_FIRST_OF_THREAD = ~exists().where(
    _EARLIER.c.thread_id == runs.c.thread_id,
    _EARLIER.c.status == "pending",
    _EARLIER.c.run_id < runs.c.run_id,
)
_THREAD_IDLE = ~exists().where(_OTHER.c.thread_id == runs.c.thread_id, _OTHER.c.status == "running")
_LOST = and_(runs.c.status == "running", runs.c.lease_until < bindparam("this_moment"))
_WAITING = and_(runs.c.status == "pending", _FIRST_OF_THREAD, _THREAD_IDLE)
CLAIM = (
    select(runs)
    .where(or_(_LOST, _WAITING))
    .order_by(runs.c.run_id)
    .limit(bindparam("this_limit"))
    .with_for_update(skip_locked=True, of=runs)
)


class RunNotFoundError(Exception):
    """There is no such run on the thread."""


class ThreadBusyError(Exception):
    """Another run is active on the thread."""


@dataclass(frozen=True)
class Spent:
    """What a run has taken so far: usage by model, and seconds of execution."""

    usage: dict[str, Any] | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: RunStatus
    thread_status: ThreadStatus
    usage: dict[str, Any] | None = None
    error: dict[str, str] | None = None


class Runs:
    """The tables of runs and their event logs."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def create(self, run: Run, *, thread: Thread | None, fresh: bool) -> Run:
        """Store a run; the status of the result says whether it may start at once or waits.

        `run.status` "pending" keeps it waiting even on an idle thread. `thread` is stored when the
        run's thread does not exist, of which `fresh` is sure. Raises `ThreadBusyError` (strategy
        "reject") and `ThreadNotFoundError`.
        """

        def create(connection: Connection) -> Run:
            stored = run
            values = {"this_thread": run.thread_id}
            owner = None if fresh else connection.execute(OWNER, values).scalar_one_or_none()
            if owner is None:
                if thread is None:
                    raise ThreadNotFoundError(run.thread_id)
                row = replace(thread, agent=run.agent, status="busy")
                connection.execute(INSERT_THREAD, vars(row))
            elif owner != run.user_id:
                raise ThreadNotFoundError(run.thread_id)
            else:
                if _active_on(connection, run.thread_id):
                    if run.request.strategy == "reject":
                        raise ThreadBusyError(run.thread_id)
                    stored = replace(run, status="pending")
                connection.execute(
                    update(threads)
                    .where(threads.c.thread_id == run.thread_id)
                    .values(agent=run.agent, status="busy", updated_at=run.created_at)
                )
            if stored.status == "pending":
                stored = replace(stored, owner=None, lease_until=None, attempt=0)
            connection.execute(INSERT_RUN, stored.to_row())
            return stored

        try:
            return await self._write(create)
        except IntegrityError:
            # Another replica was faster on the same thread: now its run is there to be seen.
            return await self._write(create)

    async def get(self, run_id: str, thread_id: str | None = None) -> Run:
        """A run. Raises `RunNotFoundError`, also when it is on another thread."""
        query = select(runs).where(runs.c.run_id == run_id)
        if thread_id is not None:
            query = query.where(runs.c.thread_id == thread_id)
        row = await self._read(lambda c: c.execute(query).one_or_none())
        if row is None:
            raise RunNotFoundError(run_id)
        return Run.from_row(row)

    async def of_thread(
        self, thread_id: str, *, status: str | None = None, limit: int = 10, offset: int = 0
    ) -> list[Run]:
        """The runs of a thread, the newest first."""
        query = select(runs).where(runs.c.thread_id == thread_id)
        if status:
            query = query.where(runs.c.status == status)
        query = query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc())
        query = query.limit(limit).offset(offset)
        return [Run.from_row(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def active_on(self, thread_id: str, user_id: str | None = None) -> list[str]:
        """Identifiers of the runs that wait or execute on a thread, if it is that user's."""
        query = select(runs.c.run_id).where(
            runs.c.thread_id == thread_id, runs.c.status.in_(ACTIVE)
        )
        if user_id is not None:
            query = query.where(runs.c.user_id == user_id)
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    async def finish(self, run: Run, outcome: Outcome, events: list[dict[str, Any]]) -> bool:
        """Store how a run ended, with the last of its events.

        False when the run is no longer this replica's; then nothing is stored.
        """
        run_values = {
            **_held(run),
            "new_status": outcome.status,
            "new_error": outcome.error,
            "new_usage": outcome.usage,
            "new_moment": now(),
            "new_due": time.time() if run.request.webhook else None,
        }
        thread_values = _freeing(run.thread_id, outcome.thread_status)

        def finish(connection: Connection) -> bool:
            if not connection.execute(FINISH, run_values).rowcount:
                return False
            if events:
                connection.execute(INSERT_EVENTS, events)
            connection.execute(FREE_THREAD, thread_values)
            return True

        return await self._write(finish)

    async def note_progress(self, run: Run, checkpoint_id: str) -> None:
        """Forget the losses of a run that came further than when its replica was lost before."""
        if run.checkpoint_id == checkpoint_id:
            return
        query = update(runs).where(runs.c.run_id == run.run_id)
        values = {"losses": 0, "checkpoint_id": checkpoint_id}
        await self._write(lambda c: c.execute(query, values))

    async def note_spent(self, spent: list[tuple[Run, Spent]]) -> None:
        """Note what executing runs have taken, for the attempts that follow if they are lost."""
        values = [_spending(run, one) for run, one in spent]
        await self._write(lambda c: c.execute(SPEND, values))

    async def release(self, run: Run, spent: Spent, events: list[dict[str, Any]]) -> None:
        """Put an unfinished run back into the queue, for another replica or the next start."""

        def release(connection: Connection) -> None:
            released = connection.execute(RELEASE, _spending(run, spent))
            if released.rowcount and events:
                connection.execute(INSERT_EVENTS, events)

        await self._write(release)

    async def cancel(self, run_id: str) -> Run | None:
        """End a waiting run; ask the replica of an executing one to end it.

        Returns the run if it waited and its thread is idle now: `free` says what else it may be.
        """

        def cancel(connection: Connection) -> Run | None:
            this = runs.c.run_id == run_id
            row = connection.execute(select(runs).where(this)).one_or_none()
            if row is None:
                return None
            run = Run.from_row(row)
            ended = connection.execute(
                update(runs)
                .where(this, runs.c.status == "pending")
                .values(
                    status="interrupted",
                    cancelled=True,
                    updated_at=now(),
                    webhook_due=time.time() if run.request.webhook else None,
                )
            )
            if not ended.rowcount:
                connection.execute(
                    update(runs).where(this, runs.c.status == "running").values(cancelled=True)
                )
                return None
            freed = connection.execute(FREE_THREAD, _freeing(run.thread_id, "idle"))
            return run if freed.rowcount else None

        return await self._write(cancel)

    async def free(self, thread_id: str, status: ThreadStatus, agent: str) -> None:
        """Note the status and the agent of a thread, unless a run is active on it."""
        query = FREE_THREAD.values(agent=agent)
        await self._write(lambda c: c.execute(query, _freeing(thread_id, status)))

    async def delete(self, run_id: str) -> None:
        """Remove a finished run and its event log."""
        await self._write(lambda c: c.execute(delete(runs).where(runs.c.run_id == run_id)))

    async def claim(self, owner: str, limit: int, lease_until: float) -> tuple[list[Run], int]:
        """Take over up to `limit` runs that wait or whose replica was lost.

        Returns them, and how many runs were given up because they lose every replica.
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
                run = replace(
                    run,
                    status="running",
                    owner=owner,
                    lease_until=lease_until,
                    attempt=run.attempt + 1,
                    losses=losses,
                )
                connection.execute(
                    update(runs)
                    .where(runs.c.run_id == run.run_id)
                    .values(
                        status="running",
                        owner=owner,
                        lease_until=lease_until,
                        attempt=run.attempt,
                        losses=losses,
                    )
                )
                claimed.append(run)
            if claimed:
                # On PostgreSQL FREE_THREAD does not see a run that is queued in the same moment.
                of_claimed = threads.c.thread_id.in_([run.thread_id for run in claimed])
                connection.execute(update(threads).where(of_claimed).values(status="busy"))
            return claimed, given_up

        return await self._write(claim)

    async def renew(self, owner: str, run_ids: Sequence[str], lease_until: float) -> set[str]:
        """Extend a replica's leases on runs; those that are still its own.

        Only on what it executes: a run that it took without knowing, because the connection was
        lost in the moment of the commit, is taken over like that of a lost replica.
        """

        def renew(connection: Connection) -> set[str]:
            mine = and_(
                runs.c.run_id.in_(run_ids), runs.c.owner == owner, runs.c.status == "running"
            )
            connection.execute(update(runs).where(mine).values(lease_until=lease_until))
            return set(connection.execute(select(runs.c.run_id).where(mine)).scalars())

        return await self._write(renew)

    async def cancelled(self, owner: str) -> list[str]:
        """The runs of a replica that another one was asked to cancel."""
        query = select(runs.c.run_id).where(
            runs.c.owner == owner, runs.c.status == "running", runs.c.cancelled
        )
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    async def waiting(self) -> int:
        """How many runs of all replicas are in the queue."""
        query = select(func.count()).where(runs.c.status == "pending")
        return int(await self._read(lambda c: c.execute(query).scalar_one()))

    async def expire_all(self) -> None:
        """Let every lease end now: for a database of one process, which has just started."""
        await self._write(
            lambda c: c.execute(
                update(runs).where(runs.c.status == "running").values(lease_until=0.0)
            )
        )


def _held(run: Run) -> dict[str, Any]:
    return {"this_run": run.run_id, "this_owner": run.owner, "this_attempt": run.attempt}


def _freeing(thread_id: str, status: ThreadStatus) -> dict[str, Any]:
    return {"this_thread": thread_id, "new_status": status, "new_moment": now()}


def _spending(run: Run, spent: Spent) -> dict[str, Any]:
    return {**_held(run), "new_usage": spent.usage, "new_seconds": spent.seconds}


def _active_on(connection: Connection, thread_id: str) -> bool:
    query = select(runs.c.run_id).where(runs.c.thread_id == thread_id, runs.c.status.in_(ACTIVE))
    return connection.execute(query.limit(1)).first() is not None


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
