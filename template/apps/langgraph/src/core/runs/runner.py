"""The runner of a replica: starts, executes, cancels and hands over runs.

The database has the queue and the leases. A replica executes the runs on which it holds a lease,
and releases those that it cannot finish before it stops. `upkeep` has the work at intervals.
"""

import asyncio
import time
from typing import Any

import structlog
from langgraph.types import StateSnapshot
from langgraph_sdk.schema import ThreadStatus

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.agents.registry import (
    AgentNotFoundError,
    AgentRegistry,
    AgentUnavailableError,
)
from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.event_log import EventLog
from apps.langgraph.src.core.runs.execution import Execution, attach, execute
from apps.langgraph.src.core.storage.checkpoints import for_run
from apps.langgraph.src.core.storage.leases import Outcome
from apps.langgraph.src.core.storage.records import Run, RunRequest, Thread, new_id, now
from apps.langgraph.src.core.storage.storage import Storage, is_outage
from apps.langgraph.src.core.storage.threads import new_thread
from shared.settings import Agents

logger = structlog.get_logger(__name__)

# Seconds between two tries to store the end of a run after an error of the database.
RETRY = 0.5


class ShuttingDownError(Exception):
    """The service accepts no more runs."""


class Runner:
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
        """Set when a pending run may be able to start."""
        self._supervisors: set[asyncio.Task[None]] = set()
        self._cancelling: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._graphs: dict[str, tuple[Agent, Any]] = {}
        # Whether this replica has queued runs behind others.
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
        """Store a run, and start it or queue it behind others.

        Without `thread_id` the run gets a new thread; an `ephemeral` thread is deleted some time
        after the run. `create_thread` creates the thread `thread_id` if there is none.

        Raises `AgentNotFoundError`, `AgentUnavailableError`, `ThreadNotFoundError`,
        `ThreadBusyError`, `ShuttingDownError`.
        """
        if self.draining:
            raise ShuttingDownError
        self.registry.get(request.agent)
        fresh = thread_id is None
        thread: Thread | None = None
        if fresh or create_thread:
            thread = new_thread(user_id, thread_id, metadata=request.metadata, ephemeral=ephemeral)
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
            # Only the user's runs; `create` raises if the thread is another user's.
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
        execution = Execution(run, EventLog(run.run_id, run.attempt), new_thread)
        self.executions[run.run_id] = execution
        if run.attempt == 1:
            metrics.QUEUE_SECONDS.observe((now() - run.created_at).total_seconds())
        task = asyncio.create_task(self._supervise(execution), name=f"run {run.run_id}")
        self._supervisors.add(task)
        task.add_done_callback(self._supervisors.discard)

    @property
    def free(self) -> int:
        """How many more runs this replica can execute."""
        return max(0, self.settings.max_runs - len(self._supervisors))

    def lease_end(self) -> float:
        """The end of a lease that starts now, in seconds since 1970."""
        return time.time() + self.settings.lease_seconds

    async def cancel(self, run_id: str) -> None:
        """Cancel a run on any replica, unless it has ended."""
        pending = await self.storage.runs.cancel(run_id)
        if execution := self.executions.get(run_id):
            execution.cancel("cancel")
        elif pending:
            await self.restore(pending.thread_id, pending.agent)

    def cancel_soon(self, run_id: str) -> None:
        """`cancel` for callers that cannot wait."""
        task = asyncio.create_task(self.cancel(run_id))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def restore(self, thread_id: str, agent: str) -> None:
        """Restore the status of a thread from its state, after one of its runs was undone.

        `agent` reads the state if the thread has no earlier run.
        """
        runs = await self.storage.runs.of_thread(thread_id, limit=10)
        agent = next((run.agent for run in runs if run.attempt), agent)
        try:
            state = await self.state(agent, thread_id)
        except (AgentNotFoundError, AgentUnavailableError):
            return
        failed = any(task.error for task in state.tasks)
        status: ThreadStatus = "error" if failed else "interrupted" if state.next else "idle"
        await self.storage.runs.free(thread_id, status, agent)

    def graph(self, name: str) -> Any:
        """An agent's graph with the checkpointer.

        Raises `AgentNotFoundError`, `AgentUnavailableError`.
        """
        agent = self.registry.get(name)
        cached = self._graphs.get(name)
        if cached is None or cached[0] is not agent:
            cached = self._graphs[name] = agent, attach(agent, self.storage.checkpointer)
        return cached[1]

    async def state(self, agent: str, thread_id: str) -> StateSnapshot:
        """The latest state of a thread, read with the graph of `agent`. Raises like `graph`."""
        config = {"configurable": {"thread_id": thread_id}}
        state: StateSnapshot = await self.graph(agent).aget_state(config)
        return state

    async def drain(self, seconds: float) -> None:
        """Accept no more runs, wait some seconds for running ones, and hand over the rest."""
        self.draining = True
        if self._supervisors:
            await asyncio.wait(self._supervisors, timeout=seconds)
        for execution in self.executions.values():
            execution.cancel("hand over")
        if self._supervisors:
            await asyncio.wait(self._supervisors)

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
                    await self.storage.leases.release(run, execution.spent, log.unstored())
        except Exception as error:
            # The lease will end, and the next attempt stores the end of the run.
            if is_outage(error):
                logger.warning("run could not be stored: the database is away", run_id=run.run_id)
            else:
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
            # This replica may not have loaded it yet.
            agent = await self.registry.find(run.agent)
            graph = self.graph(run.agent)
            wait = run.request.durability == "sync"
            graph = for_run(graph, new_thread=execution.new_thread, wait=wait)
        except (AgentNotFoundError, AgentUnavailableError):
            # Its folder was deleted or broken after the run was stored.
            error = {"error": "AgentUnavailable", "message": "The agent does not load."}
            return Outcome("error", "error", run.usage, error)
        # Many runs that start at the same moment take turns with everything else on the event loop.
        async with self._starting:
            await asyncio.sleep(0)
        execution.task = asyncio.create_task(
            execute(execution, agent, graph, self.settings, self.storage.leases.note_progress)
        )
        if execution.stop:
            # It was stopped before the task existed.
            execution.task.cancel()
        try:
            return await execution.task
        except asyncio.CancelledError:
            # Stopped before its first step.
            if execution.stop != "cancel":
                return None
            return Outcome("interrupted", "idle", run.usage, cancelled=True)

    async def _store(self, execution: Execution, outcome: Outcome) -> None:
        run, events = execution.run, execution.log.unstored()
        give_up = time.monotonic() + self.settings.lease_seconds
        while True:
            try:
                if await self.storage.leases.finish(run, outcome, events):
                    execution.outcome = outcome
                return
            except Exception as error:
                if time.monotonic() > give_up:
                    raise
                if not is_outage(error):
                    logger.warning("end of a run not stored yet", run_id=run.run_id)
                await asyncio.sleep(RETRY)
