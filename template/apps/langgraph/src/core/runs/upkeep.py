"""The work of a runner at intervals: leases, lost and pending runs, events, webhooks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.storage.events import NewEvents
from apps.langgraph.src.core.storage.records import now
from apps.langgraph.src.core.storage.storage import is_outage

logger = structlog.get_logger(__name__)

# Seconds between two rounds of each task.
LOOK_FOR_WORK = 1.0
LOOK_FOR_MORE = 0.25
STORE_EVENTS = 0.1
SHOW_LIFE = 2.5
# A crash loses what a run has used since the last round.
NOTE_SPENT = 5.0
CLEAN_UP = 60.0

# Runs claimed at a time, oldest first. After a crash all runs are claimed again, and if all started
# at once, none would make progress for a while.
TAKE_OVER = 16

# How long an ephemeral thread can be read after its run.
EPHEMERAL_LIFE = timedelta(minutes=10)


class Upkeep:
    """The tasks of one runner."""

    def __init__(self, runner: Runner, webhooks: WebhookSender) -> None:
        self._runner = runner
        self._webhooks = webhooks
        self._renewed = time.monotonic()
        self._unstored: list[NewEvents] = []

    async def run(self) -> None:
        """Work until cancelled; failures are logged and repeated in the next round."""
        async with asyncio.TaskGroup() as tasks:
            lease = self._runner.settings.lease_seconds
            tasks.create_task(self._every(lease / 3, self._renew))
            tasks.create_task(self._every(LOOK_FOR_WORK, self._look_for_work, self._runner.work))
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
            except Exception as error:
                if not is_outage(error):
                    logger.exception("upkeep failed", work=work.__name__)
            try:
                async with asyncio.timeout(seconds):
                    await wake.wait()
            except TimeoutError:
                continue
            wake.clear()

    async def _renew(self) -> None:
        runner = self._runner
        held = list(runner.executions.values())
        asked = time.monotonic()
        try:
            run_ids = [execution.run.run_id for execution in held]
            kept = await runner.storage.leases.renew(runner.replica, run_ids, runner.lease_end())
        except Exception:
            if time.monotonic() - self._renewed > runner.settings.lease_seconds:
                # Other replicas may have taken over these runs.
                for execution in held:
                    execution.cancel("abandon")
            raise
        self._renewed = asked
        for execution in held:
            if execution.run.run_id not in kept:
                execution.cancel("abandon")

    async def _look_for_work(self) -> None:
        runner = self._runner
        if runner.executions:
            for run_id in await runner.storage.leases.cancelled(runner.replica):
                if execution := runner.executions.get(run_id):
                    execution.cancel("cancel")
        if runner.draining or not runner.free:
            return
        # Renew first: after a pause, the runs of this replica would look lost.
        await self._renew()
        runs, given_up = await runner.storage.leases.claim(
            runner.replica, min(runner.free, TAKE_OVER), runner.lease_end()
        )
        if len(runs) == TAKE_OVER:
            asyncio.get_running_loop().call_later(LOOK_FOR_MORE, runner.work.set)
        for run in runs:
            if run.attempt > 1:
                metrics.RECOVERED.inc()
                logger.info("run taken over", run_id=run.run_id, attempt=run.attempt)
            runner.launch(run)
        if given_up:
            logger.error("runs given up", count=given_up)

    async def _store_events(self) -> None:
        for execution in list(self._runner.executions.values()):
            if execution.outcome is None and not execution.settled.is_set():
                self._unstored.extend(execution.log.unstored())
        if new := self._unstored:
            await self._runner.storage.events.append(new)
            self._unstored = []

    async def _show_life(self) -> None:
        for execution in self._runner.executions.values():
            execution.log.wake()

    async def _note_spent(self) -> None:
        executions = self._runner.executions.values()
        if spent := [(execution.run, execution.spent) for execution in executions]:
            await self._runner.storage.leases.note_spent(spent)

    async def _clean_up(self) -> None:
        storage = self._runner.storage
        await storage.delete_threads(await storage.threads.outlived(now() - EPHEMERAL_LIFE))
        keep = timedelta(hours=self._runner.settings.event_hours)
        await storage.events.prune(now() - keep)
