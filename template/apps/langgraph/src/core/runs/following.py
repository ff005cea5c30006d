"""Follows runs that execute here or on another replica: their events and their results."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from langgraph.types import Interrupt

from apps.langgraph.src.core.runs.encoding import aside, dumps
from apps.langgraph.src.core.runs.event_log import EVENTS_PER_ATTEMPT, Event, read_chunks
from apps.langgraph.src.core.runs.execution import Execution
from apps.langgraph.src.core.runs.runner import Runner, ShuttingDownError
from apps.langgraph.src.core.storage.leases import Outcome
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.storage import is_outage

# Seconds between two reads of the database while another replica executes the run.
POLL = 0.25


@dataclass(frozen=True)
class Result:
    """The result of a run: its record, the thread's values and the open interrupts."""

    run: Run
    values: Any
    interrupts: list[Interrupt]


async def result_of(runner: Runner, run: Run) -> Result:
    """The result of a run, after its end. Raises `ShuttingDownError` like `wait_for_end`."""
    execution = runner.executions.get(run.run_id)
    run = await wait_for_end(runner, run)
    if execution and execution.outcome:
        return Result(run, execution.values, execution.interrupts)
    await runner.registry.find(run.agent)
    state = await runner.state(run.agent, run.thread_id)
    return Result(run, state.values, list(state.interrupts))


async def wait_for_end(runner: Runner, run: Run) -> Run:
    """The finished run, on whichever replica it executes.

    Raises `ShuttingDownError` if this replica shuts down first.
    """
    while run.active:
        if execution := runner.executions.get(run.run_id):
            await execution.settled.wait()
            if execution.outcome:
                return _ended(run, execution.outcome)
        try:
            run = await runner.storage.runs.get(run.run_id)
        except Exception as error:
            if not is_outage(error):
                raise
        if run.active:
            if runner.draining:
                raise ShuttingDownError
            await asyncio.sleep(POLL)
    return run


async def follow(runner: Runner, run: Run, after: int = 0) -> AsyncIterator[list[Event]]:
    """The events of a run after the event number `after`, first the stored ones, then live.

    An empty list is a sign that the run is alive. The last events are `error`, if it failed, and
    `end`. Without them this replica is shutting down, and the client should reconnect.
    """
    while True:
        if run.active and (execution := runner.executions.get(run.run_id)):
            async for batch in _follow_here(runner, execution, after):
                after = batch[-1].id if batch else after
                yield batch
            if execution.outcome or runner.draining:
                return
        try:
            # The status is read before the events, so the events of a finished run are complete.
            current = await runner.storage.runs.get(run.run_id) if run.active else run
            stored = await _stored(runner, current, after)
        except Exception as error:
            if not is_outage(error):
                raise
        else:
            run = current
            if stored:
                after = stored[-1].id
                yield stored
            if not run.active:
                break
        if runner.draining:
            return
        yield []
        await asyncio.sleep(POLL)
    yield _last_events(run, after)


async def _follow_here(
    runner: Runner, execution: Execution, after: int
) -> AsyncIterator[list[Event]]:
    run, log = execution.run, execution.log
    first = run.attempt * EVENTS_PER_ATTEMPT
    if run.attempt > 1 and after < first:
        earlier = await _stored(runner, run, after)
        yield [event for event in earlier if event.id < first]
        after = first
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


async def _stored(runner: Runner, run: Run, after: int) -> list[Event]:
    if chunks := await runner.storage.events.after(run.run_id, after):
        return await aside(read_chunks, chunks, after)
    return []


def _ended(run: Run, outcome: Outcome) -> Run:
    return replace(
        run,
        status=outcome.status,
        error=outcome.error,
        usage=outcome.usage,
        cancelled=outcome.cancelled,
    )


def _last_events(run: Run, after: int) -> list[Event]:
    events = []
    if run.error:
        events.append(Event(after, "error", dumps(run.error)))
    end = {"run_id": run.run_id, "status": run.status}
    return [*events, Event(after, "end", dumps(end))]
