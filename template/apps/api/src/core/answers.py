"""Answers that outlive the browser and this process.

A run is stored as running before the agents service hears of it, and stays so until its outcome is
stored. In between a task of this process follows it; after a restart every run that is still
running is followed again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog
from langgraph_sdk.client import LangGraphClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.agents_service import on_behalf_of
from apps.api.src.core.database import Database
from apps.api.src.core.events import Answer, stored_outcome
from apps.api.src.core.follower import Follower
from apps.api.src.core.models import Conversation, Message, Run, User, now
from apps.api.src.core.schemas import AnswerEvent

log = structlog.get_logger(__name__)

# Seconds between two looks at a database that cannot be used yet.
DATABASE_POLL = 5.0


class BusyError(Exception):
    """The conversation has a running answer already."""


class Answers:
    """The runs that this process follows."""

    def __init__(self, database: Database, agents: LangGraphClient) -> None:
        self._database = database
        self._agents = agents
        self._live: dict[int, Answer] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(
        self,
        session: AsyncSession,
        conversation: Conversation,
        content: str,
        run_input: dict[str, Any],
    ) -> tuple[int, Answer]:
        """Store what the user said and let the agent answer; commits `session`.

        `run_input` is that of `models.Run`. Returns the run's ID and its answer. Raises
        `BusyError` when an answer is running.
        """
        run = Run(conversation_id=conversation.id, input=run_input)
        session.add(run)
        try:
            await session.flush()
        except IntegrityError:
            await session.rollback()
            raise BusyError from None
        session.add(
            Message(conversation_id=conversation.id, run_id=run.id, role="user", content=content)
        )
        conversation.updated_at = now()
        await session.commit()
        return run.id, self._follow(run.id, fresh=True)

    async def events(
        self, run_id: int, status: str, after: int
    ) -> AsyncIterator[tuple[int, AnswerEvent]]:
        """The events of a run from number `after` + 1 on; of a finished one only the outcome."""
        if status == "running":
            async for event in self._follow(run_id).events(after):
                yield event
            return
        async with self._database.session() as session:
            outcome = await stored_outcome(session, run_id)
        for event in enumerate(outcome, 1):
            yield event

    async def cancel(
        self, session: AsyncSession, conversation: Conversation, user: User, *, wait: bool = False
    ) -> None:
        """Stop the running answer, or dismiss an open question; does nothing if there is none.

        `wait` is for the end of the run. Raises httpx.HTTPError when the agents service does not
        take the order.
        """
        run = await session.scalar(
            select(Run)
            .where(Run.conversation_id == conversation.id)
            .order_by(Run.id.desc())
            .limit(1)
        )
        if run is None or run.status not in ("running", "interrupted"):
            return
        if run.status == "interrupted":
            run.status = "cancelled"
            await session.commit()
            return
        # A run that is only now being submitted is cancelled by its follower, which looks at this
        # after it has stored the ID: so that is read again.
        answer = self._follow(run.id)
        answer.cancelled = True
        agent_run_id = await session.scalar(select(Run.agent_run_id).where(Run.id == run.id))
        if agent_run_id:
            await self._agents.runs.cancel(
                str(conversation.id), agent_run_id, wait=wait, headers=on_behalf_of(user)
            )
        elif wait:
            async for _ in answer.events():
                pass

    def follow_all(self) -> None:
        """Follow every run that is running, as soon as the database can be used."""
        self._keep(asyncio.create_task(self._follow_all()))

    async def close(self) -> None:
        """Stop following; the runs go on in the agents service."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow_all(self) -> None:
        while detail := await self._database.problem():
            log.error("database not ready", detail=detail)
            await asyncio.sleep(DATABASE_POLL)
        async with self._database.session() as session:
            run_ids = await session.scalars(select(Run.id).where(Run.status == "running"))
        for run_id in run_ids:
            log.info("running answer picked up", run_id=run_id)
            self._follow(run_id)

    def _follow(self, run_id: int, *, fresh: bool = False) -> Answer:
        answer = self._live.get(run_id)
        if answer is None:
            answer = self._live[run_id] = Answer()
            follower = Follower(self._database, self._agents, run_id, answer, fresh=fresh)
            task = asyncio.create_task(follower.run())
            task.add_done_callback(lambda _: self._live.pop(run_id))
            self._keep(task)
        return answer

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
