"""What an engine does at intervals: leases, lost and waiting runs, event logs, webhooks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.storage.records import now

logger = structlog.get_logger(__name__)

# Seconds between two rounds of each kind of work.
LOOK_FOR_WORK = 1.0
LOOK_FOR_MORE = 0.25
STORE_EVENTS = 0.1
# Proxies cut a connection that is silent for 30 to 60 seconds.
SHOW_LIFE = 15.0
# What a run has taken since, a crash hides from its limits.
NOTE_SPENT = 5.0
CLEAN_UP = 60.0

# Runs that are taken over at a time, the oldest first: after a crash all of them wait, and if all
# went on at once, none would come any further for a while.
TAKE_OVER = 16

# A thread that was made for one run can be read for this long after it.
EPHEMERAL_LIFE = timedelta(minutes=10)


class Upkeep:
    """The recurring work of one engine."""

    def __init__(self, engine: Engine, webhooks: WebhookSender) -> None:
        self._engine = engine
        self._webhooks = webhooks
        self._renewed = time.monotonic()
        self._unstored: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Work until cancelled; what fails is logged and done again in the next round."""
        async with asyncio.TaskGroup() as tasks:
            lease = self._engine.settings.lease_seconds
            tasks.create_task(self._every(lease / 3, self._renew))
            tasks.create_task(self._every(LOOK_FOR_WORK, self._look_for_work, self._engine.work))
            tasks.create_task(self._every(LOOK_FOR_WORK, self._webhooks.send_due))
            tasks.create_task(self._every(STORE_EVENTS, self._store_events))
            tasks.create_task(self._every(SHOW_LIFE, self._show_life))
            tasks.create_task(self._every(NOTE_SPENT, self._note_spent))
            tasks.create_task(self._every(CLEAN_UP, self._clean_up))

    async def _every(
        self,
        seconds: float,
        work: Callable[[], Awaitable[None]],
        sooner: asyncio.Event | None = None,
    ) -> None:
        wake = sooner or asyncio.Event()
        while True:
            try:
                await work()
            except Exception:
                logger.exception("upkeep failed", work=work.__name__)
            try:
                async with asyncio.timeout(seconds):
                    await wake.wait()
            except TimeoutError:
                continue
            wake.clear()

    async def _renew(self) -> None:
        engine = self._engine
        held = list(engine.executions.values())
        asked = time.monotonic()
        try:
            run_ids = [execution.run.run_id for execution in held]
            kept = await engine.storage.runs.renew(engine.replica, run_ids, engine.lease_end())
        except Exception:
            if time.monotonic() - self._renewed > engine.settings.lease_seconds:
                # Others may have these runs by now.
                for execution in held:
                    execution.cancel("abandon")
            raise
        self._renewed = asked
        for execution in held:
            if execution.run.run_id not in kept:
                execution.cancel("abandon")

    async def _look_for_work(self) -> None:
        engine = self._engine
        if engine.executions:
            for run_id in await engine.storage.runs.cancelled(engine.replica):
                if execution := engine.executions.get(run_id):
                    execution.cancel("cancel")
        if engine.draining or not engine.free:
            return
        # One's own leases first: a process that was held up must not take its own runs for lost.
        await self._renew()
        runs, given_up = await engine.storage.runs.claim(
            engine.replica, min(engine.free, TAKE_OVER), engine.lease_end()
        )
        if len(runs) == TAKE_OVER:
            asyncio.get_running_loop().call_later(LOOK_FOR_MORE, engine.work.set)
        for run in runs:
            if run.attempt > 1:
                metrics.RECOVERED.inc()
                logger.info("run taken over", run_id=run.run_id, attempt=run.attempt)
            engine.launch(run)
        if given_up:
            logger.error("runs given up", count=given_up)

    async def _store_events(self) -> None:
        for execution in list(self._engine.executions.values()):
            if execution.outcome is None and not execution.settled.is_set():
                self._unstored.extend(execution.log.unstored())
        if rows := self._unstored:
            await self._engine.storage.events.append(rows)
            self._unstored = []

    async def _show_life(self) -> None:
        for execution in self._engine.executions.values():
            execution.log.wake()

    async def _note_spent(self) -> None:
        executions = self._engine.executions.values()
        if spent := [(execution.run, execution.spent) for execution in executions]:
            await self._engine.storage.runs.note_spent(spent)

    async def _clean_up(self) -> None:
        storage = self._engine.storage
        await storage.delete_threads(await storage.threads.outlived(now() - EPHEMERAL_LIFE))
        keep = timedelta(hours=self._engine.settings.event_hours)
        await storage.events.prune(now() - keep)
