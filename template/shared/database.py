"""SQLAlchemy engines for SQLite (one writer) and PostgreSQL, and database errors in words."""

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

# How long (milliseconds) a writer waits for another.
SQLITE_BUSY_TIMEOUT = 10_000
# Seconds in which PostgreSQL accepts a connection; psycopg would wait for minutes.
CONNECT_TIMEOUT = 5

# Transient errors. The lowest byte of a code is its kind: https://www.sqlite.org/rescode.html
WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
UNREACHABLE = "The database cannot be reached: check that it runs and DATABASE__URL in .env."
FULL = "The disk of the folder data/ is full: make room."
READ_ONLY = "This user has no write permission for the folder data/ or its files."


class UtcDateTime(TypeDecorator[datetime]):
    """A time, stored in UTC because SQLite stores no time zone.

    Raises `ValueError` for a time without a time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone: use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored time with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def create_engine(url: str) -> AsyncEngine:
    """An asynchronous engine for a SQLAlchemy URL.

    SQLite runs in WAL mode, so that readers do not wait for the writer, and enforces foreign keys.
    The first connection creates the folder of a SQLite file if it is missing.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(_impatient(parsed), pool_pre_ping=True)
    engine = create_async_engine(parsed)
    _configure_sqlite(engine.sync_engine)
    return engine


def create_threads_engine(url: str | URL) -> Engine:
    """The same engine for code in threads: a statement needs no switch of tasks."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(_impatient(parsed), pool_pre_ping=True)
    engine = sqlalchemy.create_engine(parsed.set(drivername="sqlite"))
    _configure_sqlite(engine)
    return engine


def refusal(error: Exception) -> str:
    """A database's error in words, without SQLAlchemy's additions, with advice if known."""
    reason = getattr(error, "orig", None) or error
    kind = getattr(reason, "sqlite_errorcode", 0) & 0xFF
    number = getattr(reason, "errno", None)
    if kind == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    refused = number in (errno.EACCES, errno.EPERM, errno.EROFS)
    if refused or kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return READ_ONLY
    if kind == sqlite3.SQLITE_IOERR:
        return f"The disk of the folder data/ fails or is full: {reason}."
    if isinstance(error, OperationalError) and getattr(reason, "sqlstate", "") is None:
        # An error of PostgreSQL itself has a code.
        return f"{UNREACHABLE} {reason}"
    return str(reason)


def _impatient(url: URL) -> URL:
    if "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT)})


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
    # For a new file, this switch ignores the busy timeout; two first connections may collide.
    deadline = time.monotonic() + SQLITE_BUSY_TIMEOUT / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in WAITING or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
