"""Runs: created, found, cancelled and deleted, at most one per thread at a time."""

import time
from dataclasses import replace

from langgraph_sdk.schema import ThreadStatus
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.records import ACTIVE, Run, Thread, now
from apps.langgraph.src.core.storage.tables import runs, threads
from apps.langgraph.src.core.storage.threads import FREE_THREAD, ThreadNotFoundError, free_values

# Statements of every run are built once: building one takes longer than executing it.
OWNER = select(threads.c.user_id).where(threads.c.thread_id == bindparam("this_thread"))
INSERT_THREAD, INSERT_RUN = insert(threads), insert(runs)


class RunNotFoundError(Exception):
    """There is no such run on the thread."""


class ThreadBusyError(Exception):
    """Another run is active on the thread."""


class Runs:
    """The table of runs."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def create(self, run: Run, *, thread: Thread | None, fresh: bool) -> Run:
        """Store a run; it may start if the result's status is "running", and else waits.

        With `run.status` "pending" it waits even on an idle thread. `thread` is stored if the run's
        thread does not exist; `fresh` means that it does not. Raises `ThreadBusyError` (strategy
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
            # Another replica has just started a run on the thread, which is visible now.
            return await self._write(create)

    async def get(self, run_id: str, thread_id: str | None = None) -> Run:
        """A run. Raises `RunNotFoundError`, also if it is on another thread."""
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
        """The runs of a thread, newest first."""
        query = select(runs).where(runs.c.thread_id == thread_id)
        if status:
            query = query.where(runs.c.status == status)
        query = query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc())
        query = query.limit(limit).offset(offset)
        return [Run.from_row(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def active_on(self, thread_id: str, user_id: str | None = None) -> list[str]:
        """The IDs of active runs on a thread, with `user_id` only those of that user."""
        query = select(runs.c.run_id).where(
            runs.c.thread_id == thread_id, runs.c.status.in_(ACTIVE)
        )
        if user_id is not None:
            query = query.where(runs.c.user_id == user_id)
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    async def active_of(self, user_id: str) -> list[Run]:
        """The user's active runs, newest first."""
        query = select(runs).where(runs.c.status.in_(ACTIVE), runs.c.user_id == user_id)
        query = query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc())
        return [Run.from_row(row) for row in await self._read(lambda c: c.execute(query).all())]

    async def cancel(self, run_id: str) -> Run | None:
        """End a pending run; mark a running one, so that its replica ends it.

        Returns the run if it was pending and its thread is idle now; `free` can then correct the
        thread's status.
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
            freed = connection.execute(FREE_THREAD, free_values(run.thread_id, "idle"))
            return run if freed.rowcount else None

        return await self._write(cancel)

    async def free(self, thread_id: str, status: ThreadStatus, agent: str) -> None:
        """Set the status and the agent of a thread without active runs."""
        query = FREE_THREAD.values(agent=agent)
        await self._write(lambda c: c.execute(query, free_values(thread_id, status)))

    async def delete(self, run_id: str) -> None:
        """Delete a finished run and its events."""
        await self._write(lambda c: c.execute(delete(runs).where(runs.c.run_id == run_id)))

    async def pending(self) -> int:
        """The number of runs in the queue of all replicas."""
        query = select(func.count()).where(runs.c.status == "pending")
        return int(await self._read(lambda c: c.execute(query).scalar_one()))


def _active_on(connection: Connection, thread_id: str) -> bool:
    query = select(runs.c.run_id).where(runs.c.thread_id == thread_id, runs.c.status.in_(ACTIVE))
    return connection.execute(query.limit(1)).first() is not None
