"""Follows one run of the agents service until its outcome is stored."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import structlog
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, ConflictError, NotFoundError
from langgraph_sdk.schema import GraphSchema, MultitaskStrategy, StreamMode, StreamPart
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import User
from apps.api.src.core.agents.service import (
    REFERENCE,
    REFUSED,
    UNREACHABLE,
    explain,
    is_plain,
    on_behalf_of,
)
from apps.api.src.core.conversations.live_reply import LiveReply
from apps.api.src.core.conversations.models import Conversation, Message, Run
from apps.api.src.core.conversations.outcome import CANCELLED, Outcome, closing_events
from apps.api.src.core.conversations.schemas import ReplyEvent, WaitingEvent
from apps.api.src.core.conversations.translation import (
    final_reply,
    final_result,
    open_interrupts,
    storable,
    translate,
)
from apps.api.src.core.database import Database
from apps.api.src.core.tables import now
from shared.logging import redact_text
from shared.outages import outage

log = structlog.get_logger(__name__)

# Seconds that the agents service may be away before a run counts as lost.
PATIENCE = 60.0
RETRY_DELAY = 0.5
# The Last-Event-ID that requests all events.
FROM_START = "-1"
STREAM_MODES: list[StreamMode] = ["updates", "messages-tuple"]
# The key in a run's metadata with its ID in this database.
RUN_KEY = "platform_run"

NOT_SENT = "The agents service is not reachable yet: your prompt is sent as soon as it is."
NOT_HEARD = "The connection to the agents service is lost: trying again."
GAVE_UP = (
    "The connection to the agents service was lost during the reply: check that it runs, then send "
    "the prompt again."
)
LOST = "The agents service has lost this reply: send the prompt again."
NO_REPLY = "The agent ended without a reply." + REFERENCE
FAILED = "The agent failed." + REFERENCE
BROKEN = "The platform failed on this reply." + REFERENCE
# Errors of the agents service with a text for every user; others are an agent's own words.
PLAIN_ERRORS = ("AgentUnavailable", "CostLimit", "EmptyInput", "RunTimeout", "StepLimit")


@dataclass
class Follower:
    """Submits a run to the agents service, publishes its events, and stores its outcome.

    Several processes may follow the same run: an outcome is stored only while the run is running.
    `fresh` says that the run was stored a moment ago and its user waits for the reply.

    Of a reply that is stopped or fails, the part that has arrived is stored with the outcome. The
    agents service keeps a run's events, so a follower that picks the run up after this process was
    killed reads that part again; it is lost only if both services are killed before the end.
    """

    database: Database
    agents: LangGraphClient
    run_id: int
    reply: LiveReply
    fresh: bool
    last_event: str = field(default=FROM_START, init=False)
    waiting: str | None = field(default=None, init=False)
    error: dict[str, Any] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Follow to the end. Cancelling this leaves the run running."""
        structlog.contextvars.bind_contextvars(run_id=self.run_id)
        try:
            outcome = await self._follow()
        except Exception:
            log.exception("reply failed")
            outcome = Outcome("error", BROKEN.format(reference=self.run_id))
        while True:
            try:
                events = await self._store(outcome)
            except SQLAlchemyError as error:
                # Until then the run stays running, and is picked up after a restart.
                if outage(error) is None:
                    log.exception("outcome not stored")
                await asyncio.sleep(RETRY_DELAY)
            else:
                break
        self.reply.publish(*events, complete=True)

    async def _follow(self) -> Outcome:
        clock = asyncio.get_running_loop().time
        failing_since = clock()
        while True:
            task, contact = None, False
            try:
                task = await self._load()
                if task is None:
                    return CANCELLED
                if task.run.agent_run_id:
                    await self._agent_run(task)
                else:
                    task.run.agent_run_id = await self._submit(task)
                    self.fresh = False
                contact = True
                self._wait_for(None)
                if self.reply.cancelled:
                    await self.agents.runs.cancel(
                        task.thread_id, task.run.agent_run_id, headers=task.headers
                    )
                async for part in self.agents.runs.join_stream(
                    task.thread_id,
                    task.run.agent_run_id,
                    stream_mode=STREAM_MODES,
                    last_event_id=self.last_event,
                    headers=task.headers,
                ):
                    self._take(part)
                return await self._outcome(task)
            except SQLAlchemyError as error:
                if outage(error) is None:
                    log.exception("database failed")
            except httpx.HTTPError as error:
                if self.waiting is None:
                    # Not again at each try.
                    log.warning("agents service failed", error=str(error) or type(error).__name__)
                if contact:
                    failing_since = clock()
                waited = clock() - failing_since
                if (outcome := self._given_up(error, task, waited)) is not None:
                    return outcome
                self._wait_for(NOT_HEARD if task and task.run.agent_run_id else NOT_SENT)
            self.fresh = False
            await asyncio.sleep(RETRY_DELAY)

    def _given_up(
        self, error: httpx.HTTPError, task: "_Task | None", waited: float
    ) -> Outcome | None:
        """The outcome if an error ends the run, None to try again."""
        if isinstance(error, NotFoundError) and task and task.run.agent_run_id:
            return Outcome("error", LOST)
        if isinstance(error, APIStatusError) and error.status_code < 500:
            if is_plain(error):
                return Outcome("error", explain(error))
            return Outcome("error", REFUSED.format(reference=self.run_id), explain(error))
        if self.reply.cancelled:
            return CANCELLED
        if waited > PATIENCE:
            sent = task and task.run.agent_run_id
            return Outcome("error", GAVE_UP if sent else UNREACHABLE)
        return None

    def _wait_for(self, detail: str | None) -> None:
        """Tell the user what the reply waits for, if that has changed; None for nothing."""
        if detail != self.waiting:
            self.waiting = detail
            self.reply.publish(WaitingEvent(detail=detail))

    async def _load(self) -> "_Task | None":
        query = (
            select(Run, Conversation.agent, User)
            .join(Conversation, Run.conversation_id == Conversation.id)
            .join(User, Conversation.user_id == User.id)
            .where(Run.id == self.run_id, Run.status == "running")
        )
        async with self.database.session() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            return None
        run, agent, user = row
        return _Task(run, agent, on_behalf_of(user))

    async def _submit(self, task: "_Task") -> str:
        """Create the run in the agents service, unless an earlier attempt created it."""
        found = None if self.fresh else await self._find(task)
        if not found:
            arguments = await self._arguments(task)
            try:
                found = await self._create(task, arguments, "reject")
            except ConflictError:
                # Another process was faster, or a run that the API has given up goes on.
                found = await self._find(task) or await self._create(task, arguments, "interrupt")
        async with self.database.session.begin() as session:
            await session.execute(
                update(Run).where(Run.id == self.run_id).values(agent_run_id=found)
            )
        return found

    async def _create(
        self, task: "_Task", arguments: dict[str, Any], strategy: MultitaskStrategy
    ) -> str:
        run = await self.agents.runs.create(
            task.thread_id,
            task.agent,
            **arguments,
            stream_mode=STREAM_MODES,
            stream_subgraphs=True,
            stream_resumable=True,
            if_not_exists="create",
            multitask_strategy=strategy,
            metadata={RUN_KEY: self.run_id},
            headers=task.headers,
        )
        return run["run_id"]

    async def _find(self, task: "_Task") -> str | None:
        try:
            runs = await self.agents.runs.list(task.thread_id, headers=task.headers)
        except NotFoundError:
            return None
        for run in runs:
            if (run.get("metadata") or {}).get(RUN_KEY) == self.run_id:
                return run["run_id"]
        return None

    async def _arguments(self, task: "_Task") -> dict[str, Any]:
        if "resume" in task.run.input:
            return {"command": {"resume": task.run.input["resume"]}}
        prompt = task.run.input["prompt"]
        schemas = await self._schemas(task)
        if "prompt" in ((schemas.get("input_schema") or {}).get("properties") or {}):
            return {"input": {"prompt": prompt}}
        return {"input": {"messages": [{"role": "user", "content": prompt}]}}

    async def _schemas(self, task: "_Task") -> GraphSchema:
        return await self.agents.assistants.get_schemas(task.agent, headers=task.headers)

    def _take(self, part: StreamPart) -> None:
        if part.id:
            self.last_event = part.id
        if part.event == "error" and isinstance(part.data, dict):
            self.error = part.data
        self.reply.publish(*translate(part))

    async def _agent_run(self, task: "_Task") -> dict[str, Any]:
        run = await self.agents.runs.get(
            task.thread_id, str(task.run.agent_run_id), headers=task.headers
        )
        return {**run}

    async def _outcome(self, task: "_Task") -> Outcome:
        run = await self._agent_run(task)
        status = run["status"]
        if status in ("pending", "running"):
            raise httpx.RemoteProtocolError("the stream ended before the run")
        if status in ("error", "timeout"):
            message = self.error.get("message")
            if message and self.error.get("error") in PLAIN_ERRORS:
                return Outcome(status, message)
            return Outcome(status, FAILED.format(reference=self.run_id), message)
        if run.get("cancelled") or (status == "interrupted" and self.reply.cancelled):
            return CANCELLED
        state: Any = await self.agents.threads.get_state(task.thread_id, headers=task.headers)
        if interrupts := open_interrupts(state):
            return Outcome("interrupted", messages=interrupts)
        if status == "interrupted":
            return CANCELLED
        if reply := final_reply(state):
            return Outcome("success", messages=[reply])
        schemas = await self._schemas(task)
        if result := final_result(state, schemas.get("output_schema") or {}):
            return Outcome("success", messages=[result])
        return Outcome("error", NO_REPLY.format(reference=self.run_id))

    async def _store(self, outcome: Outcome) -> list[ReplyEvent]:
        status, messages = outcome.status, outcome.messages
        reason = outcome.reason and redact_text(storable(outcome.reason))
        if outcome.error:
            log.warning("run failed", error=outcome.error, reason=reason)
        async with self.database.session.begin() as session:
            if status == "error" and (messages := await self._undecided(session)):
                status = "interrupted"
            elif (outcome.error or outcome.cancelled) and (text := self.reply.last_text()):
                messages = [Message(role="assistant", content=storable(text))]
            conversation_id = await session.scalar(
                update(Run)
                .where(Run.id == self.run_id, Run.status == "running")
                .values(
                    status=status,
                    cancelled=outcome.cancelled,
                    error=outcome.error and storable(outcome.error),
                    error_reason=reason,
                    steps=[step.model_dump() for step in self.reply.steps()] or None,
                    finished_at=now(),
                )
                .returning(Run.conversation_id)
            )
            if conversation_id:
                for message in messages:
                    message.run_id = self.run_id
                    message.conversation_id = conversation_id
                    await session.merge(message)
                await session.execute(
                    update(Conversation)
                    .where(Conversation.id == conversation_id)
                    .values(updated_at=now())
                )
            return await closing_events(session, self.run_id)

    async def _undecided(self, session: AsyncSession) -> list[Message]:
        """The interrupts again, if the agent has not received this run's decision."""
        run = await session.get(Run, self.run_id)
        if run is None or run.agent_run_id or "resume" not in run.input:
            return []
        earlier = select(Message).where(
            Message.conversation_id == run.conversation_id,
            Message.interrupt.is_not(None),
            Message.run_id < run.id,
        )
        interrupts = list(await session.scalars(earlier.order_by(Message.id)))
        return [
            Message(role="assistant", content=one.content, interrupt=one.interrupt)
            for one in interrupts
            if one.run_id == interrupts[-1].run_id
        ]


@dataclass(frozen=True)
class _Task:
    """A run to follow, with its agent and the headers of its user."""

    run: Run
    agent: str
    headers: dict[str, str]

    @property
    def thread_id(self) -> str:
        return str(self.run.conversation_id)
