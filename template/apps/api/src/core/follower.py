"""Follows one run of the agents service until its outcome is stored."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, ConflictError, NotFoundError
from langgraph_sdk.schema import MultitaskStrategy, StreamMode, StreamPart
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.agents_service import UNREACHABLE, explain, on_behalf_of
from apps.api.src.core.database import Database
from apps.api.src.core.events import (
    Answer,
    Outcome,
    final_answer,
    open_interrupts,
    storable,
    stored_outcome,
    translate,
)
from apps.api.src.core.models import Conversation, Message, Run, User, now
from apps.api.src.core.schemas import AnswerEvent

log = structlog.get_logger(__name__)

# Seconds for which the agents service may be away before a run counts as lost.
PATIENCE = 60.0
RETRY_DELAY = 0.5
# The Last-Event-ID that asks for all events.
FROM_START = "-1"
STREAM_MODES: list[StreamMode] = ["updates", "messages-tuple"]
# The key in a run's metadata by which it is found again.
RUN_KEY = "platform_run"

GAVE_UP = (
    "The agents service was lost during the answer and did not come back: check that it runs, "
    "then send the prompt again."
)
LOST = "The agents service does not know this answer any more: send the prompt again."
NO_ANSWER = "The agent ended without an answer: see its log, or ask in other words."
FAILED = "The agent failed: its log says why. Send the prompt again when it is mended."
BROKEN = "The API failed on this answer: its log says why. Send the prompt again."


class Follower:
    """Hands a run to the agents service, publishes its events, and stores its outcome.

    Several processes may follow the same run: an outcome is stored only while the run is running.
    `fresh` says that the run was stored a moment ago and someone waits for the answer.

    Of an answer that is stopped or fails, the text that has arrived is stored with the outcome. The
    agents service keeps a run's events, so that a follower that picks the run up after this process
    was killed reads that text again; only where both are lost before the end, the text is too.
    """

    def __init__(
        self,
        database: Database,
        agents: LangGraphClient,
        run_id: int,
        answer: Answer,
        *,
        fresh: bool,
    ) -> None:
        self._database = database
        self._agents = agents
        self._run_id = run_id
        self._answer = answer
        self._fresh = fresh
        self._last_event = FROM_START
        self._error: str | None = None

    async def run(self) -> None:
        """Follow to the end. Cancelling this leaves the run running."""
        structlog.contextvars.bind_contextvars(run_id=self._run_id)
        try:
            outcome = await self._follow()
        except Exception:
            log.exception("answer failed")
            outcome = Outcome("failed", BROKEN)
        while True:
            try:
                events = await self._store(outcome)
            except SQLAlchemyError:
                # Until it is stored, the run stays running and is picked up after a restart.
                log.exception("outcome not stored yet")
                await asyncio.sleep(RETRY_DELAY)
            else:
                break
        self._answer.publish(*events, complete=True)

    async def _follow(self) -> Outcome:
        clock = asyncio.get_running_loop().time
        failing_since = clock()
        while True:
            task, contact = None, False
            try:
                task = await self._load()
                if task is None:
                    return Outcome("cancelled")
                if task.agent_run_id:
                    await self._status(task)
                else:
                    task.agent_run_id = await self._submit(task)
                    self._fresh = False
                contact = True
                if self._answer.cancelled:
                    await self._agents.runs.cancel(
                        task.thread_id, task.agent_run_id, headers=task.headers
                    )
                async for part in self._agents.runs.join_stream(
                    task.thread_id,
                    task.agent_run_id,
                    stream_mode=STREAM_MODES,
                    last_event_id=self._last_event,
                    headers=task.headers,
                ):
                    self._take(part)
                return await self._outcome(task)
            except SQLAlchemyError:
                log.exception("database not usable")
            except httpx.HTTPError as error:
                log.warning("agents service", error=str(error) or type(error).__name__)
                if contact:
                    failing_since = clock()
                waited = clock() - failing_since
                if (outcome := self._given_up(error, task, waited)) is not None:
                    return outcome
            self._fresh = False
            await asyncio.sleep(RETRY_DELAY)

    def _given_up(
        self, error: httpx.HTTPError, task: "_Task | None", waited: float
    ) -> Outcome | None:
        """The outcome if an error ends the run, None if it is worth another attempt."""
        if isinstance(error, NotFoundError) and task and task.agent_run_id:
            return Outcome("failed", LOST)
        if isinstance(error, APIStatusError) and error.status_code < 500:
            return Outcome("failed", explain(error))
        if self._answer.cancelled:
            return Outcome("cancelled")
        if self._fresh and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Outcome("failed", UNREACHABLE)
        if waited > PATIENCE:
            return Outcome("failed", GAVE_UP)
        return None

    async def _load(self) -> "_Task | None":
        query = (
            select(Run, Conversation.agent, User)
            .join(Conversation, Run.conversation_id == Conversation.id)
            .join(User, Conversation.user_id == User.id)
            .where(Run.id == self._run_id, Run.status == "running")
        )
        async with self._database.session() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            return None
        run, agent, user = row
        return _Task(
            thread_id=str(run.conversation_id),
            agent=agent,
            input=run.input,
            agent_run_id=run.agent_run_id,
            headers=on_behalf_of(user),
        )

    async def _submit(self, task: "_Task") -> str:
        """Create the run in the agents service, unless an earlier attempt has done so."""
        found = None if self._fresh else await self._find(task)
        if not found:
            arguments = await self._arguments(task)
            try:
                found = await self._create(task, arguments, "reject")
            except ConflictError:
                # Another process was faster, or a run goes on that the API has given up.
                found = await self._find(task) or await self._create(task, arguments, "interrupt")
        async with self._database.session.begin() as session:
            await session.execute(
                update(Run).where(Run.id == self._run_id).values(agent_run_id=found)
            )
        return found

    async def _create(
        self, task: "_Task", arguments: dict[str, Any], strategy: MultitaskStrategy
    ) -> str:
        run = await self._agents.runs.create(
            task.thread_id,
            task.agent,
            **arguments,
            stream_mode=STREAM_MODES,
            stream_subgraphs=True,
            stream_resumable=True,
            if_not_exists="create",
            multitask_strategy=strategy,
            metadata={RUN_KEY: self._run_id},
            headers=task.headers,
        )
        return run["run_id"]

    async def _find(self, task: "_Task") -> str | None:
        try:
            runs = await self._agents.runs.list(task.thread_id, headers=task.headers)
        except NotFoundError:
            return None
        for run in runs:
            if (run.get("metadata") or {}).get(RUN_KEY) == self._run_id:
                return run["run_id"]
        return None

    async def _arguments(self, task: "_Task") -> dict[str, Any]:
        if "resume" in task.input:
            return {"command": {"resume": task.input["resume"]}}
        prompt = task.input["prompt"]
        schemas = await self._agents.assistants.get_schemas(task.agent, headers=task.headers)
        if "prompt" in ((schemas.get("input_schema") or {}).get("properties") or {}):
            return {"input": {"prompt": prompt}}
        return {"input": {"messages": [{"role": "user", "content": prompt}]}}

    def _take(self, part: StreamPart) -> None:
        if part.id:
            self._last_event = part.id
        if part.event == "error" and isinstance(part.data, dict):
            self._error = part.data.get("message")
        self._answer.publish(*translate(part))

    async def _status(self, task: "_Task") -> str:
        run = await self._agents.runs.get(
            task.thread_id, str(task.agent_run_id), headers=task.headers
        )
        return run["status"]

    async def _outcome(self, task: "_Task") -> Outcome:
        status = await self._status(task)
        if status in ("pending", "running"):
            raise httpx.RemoteProtocolError("the stream ended before the run")
        if status in ("error", "timeout"):
            return Outcome("failed", self._error or FAILED)
        if status == "interrupted" and self._answer.cancelled:
            return Outcome("cancelled")
        state: Any = await self._agents.threads.get_state(task.thread_id, headers=task.headers)
        if questions := open_interrupts(state):
            return Outcome("interrupted", messages=questions)
        if status == "interrupted":
            return Outcome("cancelled")
        if answer := final_answer(state):
            return Outcome("succeeded", messages=[answer])
        return Outcome("failed", NO_ANSWER)

    async def _store(self, outcome: Outcome) -> list[AnswerEvent]:
        status, messages = outcome.status, outcome.messages
        async with self._database.session.begin() as session:
            if status == "failed" and (messages := await self._still_asked(session)):
                status = "interrupted"
            elif status in ("failed", "cancelled") and (text := self._answer.last_text()):
                messages = [Message(role="assistant", content=storable(text))]
            conversation_id = await session.scalar(
                update(Run)
                .where(Run.id == self._run_id, Run.status == "running")
                .values(
                    status=status,
                    error=outcome.error and storable(outcome.error),
                    finished_at=now(),
                )
                .returning(Run.conversation_id)
            )
            if conversation_id:
                for message in messages:
                    message.run_id = self._run_id
                    message.conversation_id = conversation_id
                    await session.merge(message)
                await session.execute(
                    update(Conversation)
                    .where(Conversation.id == conversation_id)
                    .values(updated_at=now())
                )
            return await stored_outcome(session, self._run_id)

    async def _still_asked(self, session: AsyncSession) -> list[Message]:
        """The agent's questions again, if it has not got the decision that this run brings."""
        run = await session.get(Run, self._run_id)
        if run is None or run.agent_run_id or "resume" not in run.input:
            return []
        asked = select(Message).where(
            Message.conversation_id == run.conversation_id,
            Message.interrupt.is_not(None),
            Message.run_id < run.id,
        )
        questions = list(await session.scalars(asked.order_by(Message.id)))
        return [
            Message(role="assistant", content=one.content, interrupt=one.interrupt)
            for one in questions
            if one.run_id == questions[-1].run_id
        ]


@dataclass
class _Task:
    """What there is to know about a run to hand it over; `input` is that of `models.Run`."""

    thread_id: str
    agent: str
    input: dict[str, Any]
    agent_run_id: str | None
    headers: dict[str, str]
