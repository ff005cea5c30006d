"""Ends the open streams of sessions that are over: signed out, removed, or left by an account."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import Depends, Request
from sqlalchemy import select

from apps.api.src.core.accounts.models import Session
from apps.api.src.core.accounts.sessions import SessionToken, is_valid, keyed_hash
from apps.api.src.core.database import Database
from shared.outages import outage
from shared.settings import Settings

log = structlog.get_logger(__name__)

# Seconds between two looks at the sessions with open streams.
INTERVAL = 1.0


class SessionWatch:
    """Asks the database which of the sessions with open streams are over."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.streams: dict[asyncio.Future[None], str] = {}
        """The end of each open stream, with the `token_hash` of its session."""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self._look()
            except Exception as error:
                if outage(error) is None:
                    log.exception("sessions not checked")

    async def _look(self) -> None:
        watched = dict(self.streams)
        if not watched:
            return
        query = select(Session.token_hash).where(
            Session.token_hash.in_(set(watched.values())), is_valid(self._settings)
        )
        async with self._database.session() as session:
            valid = set(await session.scalars(query))
        for end, token_hash in watched.items():
            if token_hash not in valid and not end.done():
                end.set_result(None)


async def session_end(request: Request, token: SessionToken) -> AsyncIterator[asyncio.Future[None]]:
    """A future that is done when the session of the request is over; for routes that stream."""
    watch: SessionWatch = request.app.state.session_watch
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watch.streams[end] = keyed_hash(token or "", request.app.state.settings)
    try:
        yield end
    finally:
        del watch.streams[end]


SessionEnd = Annotated[asyncio.Future[None], Depends(session_end)]
