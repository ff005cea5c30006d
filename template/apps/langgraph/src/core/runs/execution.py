"""Executes one attempt of one run."""

import asyncio
import contextlib
import copy
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command, Interrupt, Send, StateSnapshot
from langgraph_sdk.schema import ThreadStatus

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.observability.tracing import run_span
from apps.langgraph.src.core.runs.containment import AgentExitError, contain
from apps.langgraph.src.core.runs.encoding import to_json
from apps.langgraph.src.core.runs.errors import CostLimitError, RunTimeoutError, describe
from apps.langgraph.src.core.runs.event_log import EventLog
from apps.langgraph.src.core.runs.stream import GraphStream
from apps.langgraph.src.core.runs.usage import RunUsage
from apps.langgraph.src.core.storage.checkpoints import CheckpointsUnreachableError
from apps.langgraph.src.core.storage.leases import Outcome, Spent
from apps.langgraph.src.core.storage.records import Run, RunRequest
from shared.settings import Agents as AgentSettings

logger = structlog.get_logger(__name__)

# Keys that only the service may set. LangGraph's internal keys start with two underscores.
RESERVED = {"thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map"}
RESERVED |= {"run_id", "agent", "user_id", "roles"}

# Stores the checkpoint from which a run continues.
Progress = Callable[[Run, str], Awaitable[None]]

Stop = Literal["cancel", "cost limit", "hand over", "abandon"]


@dataclass
class Execution:
    """A run that executes on this replica.

    Attributes:
        new_thread: the thread was created for this run and has no checkpoint.
        started: the start of this attempt by `time.monotonic`.
        usage: the run's usage so far, including earlier attempts.
        task: executes the graph.
        stop: the reason why the task was cancelled.
        values: the graph's latest state.
        interrupts: the graph's open interrupts.
        outcome: the end of the run; None before it, and if the run does not end on this replica.
        settled: set when the outcome is stored, or when there will be none on this replica.
    """

    run: Run
    log: EventLog
    new_thread: bool = False
    started: float = field(default_factory=time.monotonic)
    usage: RunUsage | None = None
    task: asyncio.Task[Outcome | None] | None = None
    stop: Stop | None = None
    values: Any = None
    interrupts: list[Interrupt] = field(default_factory=list)
    outcome: Outcome | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spent(self) -> Spent:
        """What all attempts of the run have used so far."""
        seconds = (self.run.seconds or 0) + time.monotonic() - self.started
        return Spent(self.usage.to_json() if self.usage else self.run.usage, seconds)

    def cancel(self, stop: Stop) -> None:
        """Cancel the task; the first reason counts."""
        if self.stop is None and self.outcome is None:
            self.stop = stop
            if self.task is not None:
                self.task.cancel()


def attach(agent: Agent, checkpointer: BaseCheckpointSaver[Any]) -> Any:
    """The agent's graph with a checkpointer."""
    graph = copy.copy(agent.graph)
    graph.checkpointer = checkpointer
    return graph


async def execute(
    execution: Execution, agent: Agent, graph: Any, settings: AgentSettings, progress: Progress
) -> Outcome | None:
    """Run the graph to its end, an interrupt, an error or a limit, and append events to the log.

    If an earlier attempt has stored a checkpoint, continues from it and passes it to `progress`.
    Returns None if the run did not end: it is to be handed over or was taken over.
    """
    run = execution.run
    contain()
    structlog.contextvars.bind_contextvars(run_id=run.run_id, agent=run.agent)
    loop = asyncio.get_running_loop()
    usage = RunUsage(agent, run, lambda: _stop_soon(loop, execution))
    execution.usage = usage
    config = run_config(run, agent.definition.limits.max_steps or settings.max_steps, usage)
    seconds = agent.definition.limits.timeout_seconds or settings.run_seconds
    stream = GraphStream(run.request.stream_modes, subgraphs=run.request.subgraphs)
    try:
        with run_span(run.agent, run.run_id, run.attempt):
            async with asyncio.timeout(seconds - (run.seconds or 0)) as timeout:
                context = agent.context_for(sent_context(run.request))
                await _stream(execution, graph, config, context, stream, progress)
        status: Any = "interrupted" if stream.interrupted else "success"
        return Outcome(status, "interrupted" if stream.interrupted else "idle", usage.to_json())
    except asyncio.CancelledError:
        if execution.stop == "cancel":
            state = await graph.aget_state(_thread_config(run))
            left: ThreadStatus = "interrupted" if state.next else "idle"
            return Outcome("interrupted", left, usage.to_json(), cancelled=True)
        if execution.stop != "cost limit":
            return None
        error: BaseException = CostLimitError(usage.excess)
    except CheckpointsUnreachableError:
        # The lease will end, and the next attempt continues from the last checkpoint.
        logger.warning("run interrupted: the database is away")
        return None
    except TimeoutError as raised:
        error = raised
        if timeout.expired():
            error = RunTimeoutError(f"The run took longer than its limit of {seconds:g} seconds.")
    except BaseException as raised:
        logger.exception("agent failed")
        exited = raised.__cause__ if isinstance(raised, AgentExitError) else None
        error = exited or raised
    finally:
        usage.count()
    status = "timeout" if isinstance(error, RunTimeoutError) else "error"
    return Outcome(status, "error", usage.to_json(), describe(error, agent, run.run_id))


def run_config(run: Run, max_steps: int, usage: RunUsage) -> RunnableConfig:
    """LangGraph's config: the service's values, and those that a client may set."""
    asked = run.request.config
    config: RunnableConfig = {
        "configurable": {
            **_allowed(sent_context(run.request)),
            **_allowed(asked.get("configurable")),
            "thread_id": run.thread_id,
            "run_id": run.run_id,
            "agent": run.agent,
            "user_id": run.user_id,
            "roles": run.request.roles,
        },
        "metadata": {
            "graph_id": run.agent,
            "assistant_id": run.agent,
            **_allowed(run.request.metadata),
            **_allowed(asked.get("metadata")),
        },
        "tags": list(asked.get("tags") or ()),
        "callbacks": [usage],
        "recursion_limit": min(asked.get("recursion_limit") or max_steps, max_steps),
    }
    return config


def sent_context(request: RunRequest) -> dict[str, Any]:
    """The context that the client sent, or else its `configurable`, as on LangGraph's server."""
    return request.context or _allowed(request.config.get("configurable"))


def build_command(command: dict[str, Any]) -> Command[Any]:
    """LangGraph's command from the one of its server protocol."""
    goto = command.get("goto") or ()
    targets = goto if isinstance(goto, list | tuple) else [goto]
    return Command(
        resume=command.get("resume"),
        update=command.get("update"),
        goto=[Send(to["node"], to.get("input")) if isinstance(to, dict) else to for to in targets],
    )


async def _stream(
    execution: Execution,
    graph: Any,
    config: RunnableConfig,
    context: Any,
    stream: GraphStream,
    progress: Progress,
) -> None:
    run, request = execution.run, execution.run.request
    graph_input: Any = build_command(request.command) if request.command else request.input
    if state := await _checkpoint_of(run, graph):
        await progress(run, state.config["configurable"]["checkpoint_id"])
        if _ended(state, request.interrupt_before):
            stream.interrupted = bool(state.tasks)
            execution.values, execution.interrupts = state.values, list(state.interrupts)
            return
        graph_input = None
    elif request.checkpoint_id:
        config["configurable"]["checkpoint_id"] = request.checkpoint_id
        if request.checkpoint_map:
            config["configurable"]["checkpoint_map"] = request.checkpoint_map
    try:
        async for chunk in stream.chunks(
            graph,
            graph_input,
            config,
            context=context,
            interrupt_before=request.interrupt_before or None,
            interrupt_after=request.interrupt_after or None,
            durability=request.durability,
        ):
            for name, value in stream.events(chunk):
                execution.log.append(name, await to_json(value))
        await graph.checkpointer.written()
    except BaseException:
        # Checkpoints are kept, however the run ended.
        with contextlib.suppress(Exception):
            await graph.checkpointer.written()
        raise
    finally:
        execution.values, execution.interrupts = stream.values, stream.interrupts


async def _checkpoint_of(run: Run, graph: Any) -> StateSnapshot | None:
    """The state after the last checkpoint of an earlier attempt of the run, if there is one."""
    if run.attempt == 1:
        return None
    state: StateSnapshot = await graph.aget_state(_thread_config(run))
    return state if (state.metadata or {}).get("run_id") == run.run_id else None


def _ended(state: StateSnapshot, interrupt_before: list[str] | str) -> bool:
    """Whether the lost attempt had finished, but was lost before that was stored."""
    asking = [task.name for task in state.tasks if task.interrupts]
    stops = state.next if interrupt_before == "*" else set(state.next) & set(interrupt_before)
    # `next` lacks tasks that have run but whose checkpoint is missing; `tasks` has them.
    return not state.tasks or sorted(state.next) == sorted(asking) != [] or bool(stops)


def _thread_config(run: Run) -> RunnableConfig:
    return {"configurable": {"thread_id": run.thread_id}}


def _allowed(values: dict[str, Any] | None) -> dict[str, Any]:
    return {
        key: value
        for key, value in (values or {}).items()
        if key not in RESERVED and not key.startswith("__")
    }


def _stop_soon(loop: asyncio.AbstractEventLoop, execution: Execution) -> None:
    # Called from other threads by nodes that are plain functions.
    loop.call_soon_threadsafe(execution.cancel, "cost limit")
