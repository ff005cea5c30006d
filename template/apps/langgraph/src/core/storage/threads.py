"""Threads, their owners and their status."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from langgraph_sdk.schema import ThreadStatus
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.records import ACTIVE, Thread, contains, new_id, now
from apps.langgraph.src.core.storage.tables import runs, threads

# Sets the status of a thread, unless a run is active on it; built once, see `runs`.
FREE_THREAD = (
    update(threads)
    .where(
        threads.c.thread_id == bindparam("this_thread"),
        ~exists().where(runs.c.thread_id == bindparam("this_thread"), runs.c.status.in_(ACTIVE)),
    )
    .values(status=bindparam("new_status"), updated_at=bindparam("new_moment"))
)


class ThreadNotFoundError(Exception):
    """There is no such thread, or it is another user's."""


class ThreadExistsError(Exception):
    """There is already a thread of this ID."""


class Threads:
    """The table of threads."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def create(
        self,
        user_id: str,
        *,
        thread_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        exist_ok: bool = False,
    ) -> Thread:
        """A new thread, or with `exist_ok` the user's existing one.

        Raises `ThreadExistsError`, also if the existing one is another user's.
        """
        thread = new_thread(user_id, thread_id, metadata=metadata or {})
        try:
            await self._write(lambda c: c.execute(insert(threads).values(**thread.__dict__)))
        except IntegrityError:
            if not exist_ok:
                raise ThreadExistsError(thread.thread_id) from None
            try:
                return await self.get(thread.thread_id, user_id)
            except ThreadNotFoundError:
                raise ThreadExistsError(thread.thread_id) from None
        return thread

    async def get(self, thread_id: str, user_id: str) -> Thread:
        """A thread of the user. Raises `ThreadNotFoundError`."""
        query = select(threads).where(
            threads.c.thread_id == thread_id, threads.c.user_id == user_id
        )
        row = await self._read(lambda c: c.execute(query).one_or_none())
        if row is None:
            raise ThreadNotFoundError(thread_id)
        return Thread.from_row(row)

    async def update_metadata(
        self, thread_id: str, user_id: str, metadata: dict[str, Any]
    ) -> Thread:
        """Merge `metadata` into the thread's. Raises `ThreadNotFoundError`."""

        def merge(connection: Connection) -> Thread:
            query = select(threads).where(
                threads.c.thread_id == thread_id, threads.c.user_id == user_id
            )
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise ThreadNotFoundError(thread_id)
            thread = Thread.from_row(row)
            thread = replace(thread, metadata={**thread.metadata, **metadata}, updated_at=now())
            connection.execute(
                update(threads)
                .where(threads.c.thread_id == thread_id)
                .values(metadata=thread.metadata, updated_at=thread.updated_at)
            )
            return thread

        return await self._write(merge)

    async def set_status(self, thread_id: str, status: str, agent: str | None = None) -> None:
        """Set a status that is not the result of a run."""
        values = {"status": status, "updated_at": now(), **({"agent": agent} if agent else {})}
        await self._write(
            lambda c: c.execute(
                update(threads).where(threads.c.thread_id == thread_id).values(**values)
            )
        )

    async def delete(self, thread_ids: Sequence[str]) -> None:
        """Delete threads with their runs and events, but not their checkpoints."""
        await self._write(
            lambda c: c.execute(delete(threads).where(threads.c.thread_id.in_(thread_ids)))
        )

    async def search(
        self,
        user_id: str,
        *,
        ids: Sequence[str] | None = None,
        metadata: dict[str, Any] | None = None,
        status: str | None = None,
        sort_by: str = "updated_at",
        descending: bool = True,
        limit: int = 10,
        offset: int = 0,
    ) -> list[Thread]:
        """The user's threads; `metadata` must be contained in their `labels`.

        `sort_by` is the name of a column, validated by the caller.
        """
        column = threads.c[sort_by]
        query = self._matching(user_id, ids, status).order_by(
            column.desc() if descending else column.asc(), threads.c.thread_id
        )
        if not metadata:
            query = query.limit(limit).offset(offset)
            return [
                Thread.from_row(row) for row in await self._read(lambda c: c.execute(query).all())
            ]

        def search(connection: Connection) -> list[Thread]:
            # In Python, because SQLite has no JSON containment; they are one user's threads only.
            found = (Thread.from_row(row) for row in connection.execute(query))
            matching = (thread for thread in found if contains(thread.labels, metadata))
            return list(islice(matching, offset, offset + limit))

        return await self._read(search)

    async def count(
        self, user_id: str, *, metadata: dict[str, Any] | None = None, status: str | None = None
    ) -> int:
        """The number of threads that `search` would find without a limit."""
        query = self._matching(user_id, None, status)
        if not metadata:
            counted = select(func.count()).select_from(query.subquery())
            return int(await self._read(lambda c: c.execute(counted).scalar_one()))
        rows = await self._read(lambda c: c.execute(query).all())
        return sum(contains(Thread.from_row(row).labels, metadata) for row in rows)

    async def outlived(self, before: datetime) -> list[str]:
        """The ephemeral threads whose run ended before a moment."""
        query = select(threads.c.thread_id).where(
            threads.c.ephemeral, threads.c.status != "busy", threads.c.updated_at < before
        )
        return list(await self._read(lambda c: c.execute(query).scalars().all()))

    @staticmethod
    def _matching(user_id: str, ids: Sequence[str] | None, status: str | None) -> Select[Any]:
        query = select(threads).where(threads.c.user_id == user_id, ~threads.c.ephemeral)
        if ids is not None:
            query = query.where(threads.c.thread_id.in_(ids))
        if status:
            query = query.where(threads.c.status == status)
        return query


def free_values(thread_id: str, status: ThreadStatus) -> dict[str, Any]:
    """The values for `FREE_THREAD`."""
    return {"this_thread": thread_id, "new_status": status, "new_moment": now()}


def new_thread(
    user_id: str,
    thread_id: str | None = None,
    *,
    metadata: dict[str, Any] | None = None,
    ephemeral: bool = False,
) -> Thread:
    """A thread, not stored yet."""
    moment = now()
    return Thread(
        thread_id=thread_id or new_id(),
        user_id=user_id,
        agent="",
        status="idle",
        metadata=metadata or {},
        ephemeral=ephemeral,
        created_at=moment,
        updated_at=moment,
    )
