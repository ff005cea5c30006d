"""Outages of the database: which errors mean one, and one line in the log at begin and end."""

import sqlite3
import threading
import time
from typing import Any

import psycopg
import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.database import UNREACHABLE, WAITING, refusal

log = structlog.get_logger(__name__)

# Seconds between two lines during an outage.
REMIND = 60.0
# Seconds without an error after which an outage is over: a full disk lets some statements through.
SETTLED = 1.0
# https://www.sqlite.org/rescode.html
SQLITE_OUTAGES = (
    *WAITING,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
)
# Connection errors, missing resources, and shutdown; 57014 is a cancelled query.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL_OUTAGES = ("08", "53", "57P")


def outage(error: BaseException) -> str | None:
    """What to tell users if `error` means that the database cannot be used at the moment.

    None for every other error. The text names neither server nor user.
    """
    if isinstance(error, PoolTimeoutError):
        return UNREACHABLE
    reason = getattr(error, "orig", None) or error
    if isinstance(reason, sqlite3.Error):
        kind = getattr(reason, "sqlite_errorcode", 0) & 0xFF
        return refusal(reason) if kind in SQLITE_OUTAGES else None
    if isinstance(reason, psycopg.OperationalError | psycopg.InterfaceError):
        # Without a code it was not the server that said so.
        code = reason.sqlstate
        return UNREACHABLE if code is None or code.startswith(POSTGRESQL_OUTAGES) else None
    return None


def log_outages(engine: Engine) -> None:
    """Log when the database of `engine` goes away, about once a minute meanwhile, and its return.

    Whatever uses the engine need not log errors that are an `outage`.
    """
    watch = _Watch()
    event.listen(engine, "handle_error", watch.failed)
    event.listen(engine, "after_cursor_execute", watch.executed)


class _Watch:
    """The listeners of an engine, which threads share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last_error = self._last_line = 0.0

    def failed(self, context: ExceptionContext) -> None:
        error = context.original_exception
        # The check of a pooled connection: a failure is followed by a new connection.
        if context.is_pre_ping or outage(error) is None:
            return
        with self._lock:
            now = self._last_error = time.monotonic()
            if self._since is not None and now - self._last_line < REMIND:
                return
            self._since = now if self._since is None else self._since
            self._last_line = now
        # PostgreSQL's messages have several lines.
        detail = " ".join(refusal(context.sqlalchemy_exception or Exception(error)).split())
        log.error("the database cannot be used", detail=detail)

    def executed(
        self,
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: object,
        context: ExecutionContext | None,
        executemany: bool,
    ) -> None:
        if self._since is None:
            return
        if connection.dialect.name == "sqlite" and cursor.rowcount < 1:
            # Reading works on a full disk.
            return
        with self._lock:
            now = time.monotonic()
            if self._since is None or now - self._last_error < SETTLED:
                return
            seconds, self._since = round(now - self._since), None
        log.info("the database can be used again", seconds=seconds)
