"""Engines for SQLite (embedded, one writer) and PostgreSQL."""

import errno
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
from sqlalchemy import URL, DateTime, Dialect, Engine, TypeDecorator, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

# A writer that waits this long (milliseconds) is stuck, not busy.
SQLITE_BUSY_TIMEOUT = 10_000

# Errors that end by themselves. The lowest byte of a code is its kind, see
# https://www.sqlite.org/rescode.html
WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
UNREACHABLE = "The database cannot be reached: check that it runs and DATABASE__URL in .env."
FULL = "The disk with the folder data/ is full: make room."
READ_ONLY = "The folder data/ cannot be written: let this user write it and the files in it."


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so all are stored in one.

    Raises `ValueError` for a moment without a time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as it is stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: datetime.now(UTC) gives one that has")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored moment with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def create_engine(url: str) -> AsyncEngine:
    """An asynchronous engine for a SQLAlchemy URL.

    SQLite runs in WAL mode, so that readers never wait for the writer, and enforces foreign keys.
    The folder of a SQLite file is created by the first connection when it is missing.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed, pool_pre_ping=True)
    engine = create_async_engine(parsed)
    _configure_sqlite(engine.sync_engine)
    return engine


def create_threads_engine(url: str | URL) -> Engine:
    """The same for code that runs in threads of its own, where a statement costs no switch."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    engine = sqlalchemy.create_engine(parsed.set(drivername="sqlite"))
    _configure_sqlite(engine)
    return engine


def refusal(error: Exception) -> str:
    """What a database has refused, without SQLAlchemy's additions, and what to do where known."""
    reason = getattr(error, "orig", None) or error
    kind = getattr(reason, "sqlite_errorcode", 0) & 0xFF
    number = getattr(reason, "errno", None)
    if kind == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or number in (
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
    ):
        return READ_ONLY
    if kind == sqlite3.SQLITE_IOERR:
        return f"The disk with the folder data/ fails or is full: {reason}."
    if isinstance(error, OperationalError) and getattr(reason, "sqlstate", "") is None:
        # PostgreSQL itself gives a code.
        return f"{UNREACHABLE} {reason}"
    return str(reason)


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def make_folder(*_: object) -> None:
        file = engine.url.database
        if file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT}")
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _use_wal(cursor: DBAPICursor) -> None:
    # The switch of a new file ignores the busy timeout, and two first connections may meet here.
    deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in WAITING or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
