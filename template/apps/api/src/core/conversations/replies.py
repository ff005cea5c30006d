"""Replies that outlive the browser and this process.

A run is stored as running before it is submitted to the agents service, and stays so until its
outcome is stored. Meanwhile a task of this process follows it; after a restart every running run is
followed again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog
from langgraph_sdk.client import LangGraphClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import User
from apps.api.src.core.agents.service import on_behalf_of
from apps.api.src.core.conversations.follower import Follower
from apps.api.src.core.conversations.live_reply import LiveReply
from apps.api.src.core.conversations.models import Conversation, Message, Run
from apps.api.src.core.conversations.outcome import closing_events
from apps.api.src.core.conversations.queries import last_run
from apps.api.src.core.conversations.schemas import ReplyEvent
from apps.api.src.core.database import Database
from apps.api.src.core.tables import now
from shared.database import UNREACHABLE

log = structlog.get_logger(__name__)

# Seconds between two attempts to use a database that is not ready.
DATABASE_POLL = 5.0


class BusyError(Exception):
    """The conversation has a reply in progress."""


class Replies:
    """The runs that this process follows."""

    def __init__(self, database: Database, agents: LangGraphClient) -> None:
        self._database = database
        self._agents = agents
        self._live: dict[int, LiveReply] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(
        self,
        session: AsyncSession,
        conversation: Conversation,
        content: str,
        run_input: dict[str, Any],
        decision: dict[str, Any] | None = None,
    ) -> tuple[int, LiveReply]:
        """Store the user's message and start the run; commits `session`.

        `run_input` is `input` of `models.Run`, `decision` that of `models.Message`. Returns the
        run's ID and its reply. Raises `BusyError` while another reply is in progress.
        """
        run = Run(conversation_id=conversation.id, input=run_input)
        session.add(run)
        try:
            await session.flush()
        except IntegrityError:
            await session.rollback()
            raise BusyError from None
        session.add(
            Message(
                conversation_id=conversation.id,
                run_id=run.id,
                role="user",
                content=content,
                decision=decision,
            )
        )
        conversation.updated_at = now()
        await session.commit()
        return run.id, self._follow(run.id, fresh=True)

    async def events(
        self, run_id: int, status: str, after: int, until: asyncio.Future[None] | None = None
    ) -> AsyncIterator[tuple[int, ReplyEvent]]:
        """The events of a run from number `after` + 1 on; of a finished run, the closing events.

        They end early when `until` is done.
        """
        if status == "running":
            async for event in self._follow(run_id).events(after, until=until):
                yield event
            return
        async with self._database.session() as session:
            closing = await closing_events(session, run_id)
        for event in enumerate(closing, 1):
            yield event

    async def cancel(
        self, session: AsyncSession, conversation: Conversation, user: User, *, wait: bool = False
    ) -> None:
        """Stop the reply in progress or dismiss the open interrupts, if there are any.

        `wait` waits for the end of the run. Raises httpx.HTTPError when the agents service fails.
        """
        run = await last_run(session, conversation.id)
        if run is None or run.status not in ("running", "interrupted"):
            return
        if run.status == "interrupted":
            run.cancelled = True
            await session.commit()
            return
        # A run that is just being submitted is cancelled by its follower, which reads `cancelled`
        # after it has stored the ID: so read the ID again.
        reply = self._follow(run.id)
        reply.cancelled = True
        agent_run_id = await session.scalar(select(Run.agent_run_id).where(Run.id == run.id))
        if agent_run_id:
            await self._agents.runs.cancel(
                str(conversation.id), agent_run_id, wait=wait, headers=on_behalf_of(user)
            )
        elif wait:
            async for _ in reply.events():
                pass

    def follow_all(self) -> None:
        """Follow every running run, as soon as the database can be used."""
        self._keep(asyncio.create_task(self._follow_all()))

    async def close(self) -> None:
        """Stop following; the runs go on in the agents service."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow_all(self) -> None:
        logged = None
        while detail := await self._database.problem():
            if detail not in (logged, UNREACHABLE):
                log.error("database not ready", detail=detail)
                logged = detail
            await asyncio.sleep(DATABASE_POLL)
        async with self._database.session() as session:
            run_ids = await session.scalars(select(Run.id).where(Run.status == "running"))
        for run_id in run_ids:
            log.info("running reply picked up", run_id=run_id)
            self._follow(run_id)

    def _follow(self, run_id: int, *, fresh: bool = False) -> LiveReply:
        reply = self._live.get(run_id)
        if reply is None:
            reply = self._live[run_id] = LiveReply()
            follower = Follower(self._database, self._agents, run_id, reply, fresh=fresh)
            task = asyncio.create_task(follower.run())
            task.add_done_callback(lambda _: self._live.pop(run_id))
            self._keep(task)
        return reply

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
