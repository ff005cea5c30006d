"""Starts runs, follows them, ends them: the engine behind all three protocols.

The database says what is to run and who runs it; an engine executes what it holds a lease on, and
gives back what it cannot finish before it stops. `upkeep` does what is due at intervals.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import structlog
from langgraph.types import Interrupt

from apps.langgraph.src.core.agents import Agent, AgentNotFound, AgentRegistry, AgentUnavailable
from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.execution import Execution, attach, execute
from apps.langgraph.src.core.runs.log import EVENTS_PER_ATTEMPT, Event, RunLog, read_chunks
from apps.langgraph.src.core.storage.checkpoints import for_run
from apps.langgraph.src.core.storage.database import Storage
from apps.langgraph.src.core.storage.records import (
    Run,
    RunRequest,
    Thread,
    ThreadStatus,
    new_id,
    now,
)
from apps.langgraph.src.core.storage.runs import Outcome
from apps.langgraph.src.core.storage.threads import new_thread
from shared.settings import Agents

logger = structlog.get_logger(__name__)

# Seconds between two looks at the database for what another replica does.
POLL = 0.25
# Seconds between two tries to store how a run ended, when the database refuses.
RETRY = 0.5


class ShuttingDownError(Exception):
    """The service takes no more runs."""


@dataclass(frozen=True)
class Result:
    """What came of a run: its final record, the thread's values, and what the agent waits for."""

    run: Run
    values: Any
    interrupts: list[Interrupt]


class Engine:
    """The runs of one replica."""

    def __init__(self, storage: Storage, registry: AgentRegistry, settings: Agents) -> None:
        self.storage = storage
        self.registry = registry
        self.settings = settings
        self.replica = new_id()
        self.started_at = now()
        self.draining = False
        self.executions: dict[str, Execution] = {}
        self.work = asyncio.Event()
        """Set when a waiting run may be able to start."""
        self._supervisors: set[asyncio.Task[None]] = set()
        self._cancelling: set[asyncio.Task[None]] = set()
        self._graphs: dict[str, tuple[Agent, Any]] = {}
        # Whether runs of this replica wait for others to end.
        self._queued = False

    async def start(
        self,
        request: RunRequest,
        user_id: str,
        *,
        thread_id: str | None = None,
        create_thread: bool = False,
        ephemeral: bool = False,
    ) -> Run:
        """Store a run and start it, or queue it behind others.

        Without `thread_id` the run gets a new thread, which an `ephemeral` one does not outlive
        for long. `create_thread` makes a named thread that does not exist.

        Raises `AgentNotFound`, `AgentUnavailable`, `ThreadNotFoundError`, `ThreadBusyError`,
        `ShuttingDownError`.
        """
        if self.draining:
            raise ShuttingDownError
        self.registry.get(request.agent)
        fresh = thread_id is None
        thread: Thread | None = None
        if fresh or create_thread:
            thread = new_thread(user_id, thread_id, ephemeral=ephemeral)
        run = Run(
            run_id=new_id(),
            thread_id=thread.thread_id if thread else str(thread_id),
            agent=request.agent,
            user_id=user_id,
            status="running" if self.free else "pending",
            request=request,
            metadata=request.metadata,
            created_at=(moment := now()),
            updated_at=moment,
            owner=self.replica,
            lease_until=self.lease_end(),
            attempt=1,
        )
        if request.strategy == "interrupt" and not fresh:
            # Another user's are not touched; that the thread is not this user's comes out below.
            for active in await self.storage.runs.active_on(run.thread_id, user_id):
                await self.cancel(active)
        run = await self.storage.runs.create(run, thread=thread, fresh=fresh)
        if run.status == "running":
            self.launch(run, new_thread=fresh)
        else:
            self._queued = True
            self.work.set()
        return run

    def launch(self, run: Run, *, new_thread: bool = False) -> None:
        """Execute a run on which this replica holds the lease; a `new_thread` has no checkpoint."""
        execution = Execution(run, RunLog(run.run_id, run.attempt), new_thread)
        self.executions[run.run_id] = execution
        if run.attempt == 1:
            metrics.QUEUE_SECONDS.observe((now() - run.created_at).total_seconds())
        task = asyncio.create_task(self._supervise(execution), name=f"run {run.run_id}")
        self._supervisors.add(task)
        task.add_done_callback(self._supervisors.discard)

    @property
    def free(self) -> int:
        """How many more runs this replica would execute."""
        return max(0, self.settings.max_runs - len(self._supervisors))

    def lease_end(self) -> float:
        """When a lease that is taken now ends, in seconds since 1970."""
        return time.time() + self.settings.lease_seconds

    async def cancel(self, run_id: str) -> None:
        """End a run, wherever it is; nothing happens to one that has ended."""
        waited = await self.storage.runs.cancel(run_id)
        if execution := self.executions.get(run_id):
            execution.cancel("cancel")
        elif waited:
            await self.restore(waited.thread_id, waited.agent)

    async def restore(self, thread_id: str, agent: str) -> None:
        """Give a thread back the status that it had before a run that is undone.

        `agent` is asked where no run came before.
        """
        runs = await self.storage.runs.of_thread(thread_id, limit=10)
        agent = next((run.agent for run in runs if run.attempt), agent)
        try:
            graph = self.graph(agent)
        except (AgentNotFound, AgentUnavailable):
            return
        state = await graph.aget_state({"configurable": {"thread_id": thread_id}})
        failed = any(task.error for task in state.tasks)
        status: ThreadStatus = "error" if failed else "interrupted" if state.next else "idle"
        await self.storage.runs.free(thread_id, status, agent)

    def cancel_soon(self, run_id: str) -> None:
        """`cancel` for callers that cannot wait."""
        task = asyncio.create_task(self.cancel(run_id))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def events(self, run: Run, after: int = 0) -> AsyncIterator[list[Event]]:
        """The events of a run beyond the number `after`, as they come; the stored ones first.

        An empty list shows that the run is alive. The last events are `error`, if there was one,
        and `end`; without them the run goes on elsewhere and the reader should come back.
        """
        while True:
            if run.active and (execution := self.executions.get(run.run_id)):
                async for batch in self._follow(execution, after):
                    after = batch[-1].id if batch else after
                    yield batch
                if execution.outcome or self.draining:
                    return
            # The status is read first: what is stored by then is all of an ended run.
            run = await self.storage.runs.get(run.run_id) if run.active else run
            stored = read_chunks(await self.storage.events.after(run.run_id, after), after)
            if stored:
                after = stored[-1].id
                yield stored
            if not run.active:
                break
            if self.draining:
                return
            yield []
            await asyncio.sleep(POLL)
        yield _last_events(run, after)

    async def wait(self, run: Run) -> Result:
        """The result of a run, once it has ended. Raises what `wait_end` raises."""
        execution = self.executions.get(run.run_id)
        run = await self.wait_end(run)
        if execution and execution.outcome:
            return Result(run, execution.values, execution.interrupts)
        await self.registry.find(run.agent)
        graph = self.graph(run.agent)
        state = await graph.aget_state({"configurable": {"thread_id": run.thread_id}})
        return Result(run, state.values, list(state.interrupts))

    async def wait_end(self, run: Run) -> Run:
        """A run as it is when it has ended, wherever it executes.

        Raises `ShuttingDownError` when this replica ends first.
        """
        while run.active:
            if execution := self.executions.get(run.run_id):
                await execution.settled.wait()
                if execution.outcome:
                    return _ended(run, execution.outcome)
            run = await self.storage.runs.get(run.run_id)
            if run.active:
                if self.draining:
                    raise ShuttingDownError
                await asyncio.sleep(POLL)
        return run

    def graph(self, name: str) -> Any:
        """An agent's graph with the checkpointer. Raises `AgentNotFound`, `AgentUnavailable`."""
        agent = self.registry.get(name)
        cached = self._graphs.get(name)
        if cached is None or cached[0] is not agent:
            cached = self._graphs[name] = agent, attach(agent, self.storage.checkpointer)
        return cached[1]

    async def drain(self, seconds: float) -> None:
        """Take no more runs; let those that execute finish for a while, and hand over the rest."""
        self.draining = True
        if self._supervisors:
            await asyncio.wait(self._supervisors, timeout=seconds)
        for execution in self.executions.values():
            execution.cancel("hand over")
        if self._supervisors:
            await asyncio.wait(self._supervisors)

    async def _follow(self, execution: Execution, after: int) -> AsyncIterator[list[Event]]:
        run, log = execution.run, execution.log
        begin = run.attempt * EVENTS_PER_ATTEMPT
        if run.attempt > 1 and after < begin:
            earlier = read_chunks(await self.storage.events.after(run.run_id, after), after)
            yield [event for event in earlier if event.id < begin]
            after = begin
        while not log.closed:
            if log.gathering:
                await log.changed()
            elif batch := log.after(after):
                after = batch[-1].id
                yield batch
            else:
                await log.changed()
                if not log.closed and not log.after(after):
                    yield []
        await execution.settled.wait()
        batch = log.after(after)
        if execution.outcome:
            after = batch[-1].id if batch else after
            batch += _last_events(_ended(run, execution.outcome), after)
        if batch:
            yield batch

    async def _supervise(self, execution: Execution) -> None:
        run, log = execution.run, execution.log
        started = time.perf_counter()
        log.append("metadata", dumps({"run_id": run.run_id, "attempt": run.attempt}))
        try:
            with metrics.RUNNING.track_inprogress():
                outcome = await self._execute(execution)
                if outcome is not None:
                    await self._store(execution, outcome)
                elif execution.stop == "hand over":
                    await self.storage.runs.release(run, execution.spent, log.unstored())
        except Exception:
            # The lease will end, and another attempt says what became of the run.
            logger.exception("run could not be stored", run_id=run.run_id)
        finally:
            if self.executions.get(run.run_id) is execution:
                del self.executions[run.run_id]
            log.close()
            execution.settled.set()
        if execution.outcome:
            metrics.RUNS.labels(run.agent, execution.outcome.status).inc()
            metrics.RUN_SECONDS.labels(run.agent).observe(time.perf_counter() - started)
        if self._queued:
            self.work.set()

    async def _execute(self, execution: Execution) -> Outcome | None:
        run = execution.run
        try:
            # It may be new to this replica.
            agent = await self.registry.find(run.agent)
            graph = self.graph(run.agent)
            wait = run.request.durability == "sync"
            graph = for_run(graph, new_thread=execution.new_thread, wait=wait)
        except (AgentNotFound, AgentUnavailable):
            # Its folder is gone or broken since the run was stored.
            error = {"error": "AgentUnavailable", "message": "The agent does not load."}
            return Outcome("error", "error", run.usage, error)
        execution.task = asyncio.create_task(
            execute(
                execution,
                agent,
                graph,
                self.settings,
                self.storage.runs.note_progress,
            )
        )
        if execution.stop:
            # It was asked for before there was a task to cancel.
            execution.task.cancel()
        try:
            return await execution.task
        except asyncio.CancelledError:
            # Stopped before its first step.
            return Outcome("interrupted", "idle", run.usage) if execution.stop == "cancel" else None

    async def _store(self, execution: Execution, outcome: Outcome) -> None:
        run, events = execution.run, execution.log.unstored()
        give_up = time.monotonic() + self.settings.lease_seconds
        while True:
            try:
                if await self.storage.runs.finish(run, outcome, events):
                    execution.outcome = outcome
                return
            except Exception:
                if time.monotonic() > give_up:
                    raise
                logger.warning("database refuses the end of a run", run_id=run.run_id)
                await asyncio.sleep(RETRY)


def _ended(run: Run, outcome: Outcome) -> Run:
    return replace(run, status=outcome.status, error=outcome.error, usage=outcome.usage)


def _last_events(run: Run, after: int) -> list[Event]:
    events = []
    if run.error:
        events.append(Event(after, "error", dumps(run.error)))
    end = {"run_id": run.run_id, "status": run.status}
    return [*events, Event(after, "end", dumps(end))]
