"""The agents service: `uvicorn apps.langgraph.src.core.app:app`."""

import asyncio
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

from apps.langgraph.src.core.agents import AgentRegistry, get_registry
from apps.langgraph.src.core.observability.tracing import configure_tracing, flush_traces
from apps.langgraph.src.core.routes import agents, openai, operations
from apps.langgraph.src.core.routes.errors import add_error_handlers
from apps.langgraph.src.core.routes.protocol import assistants, runs, threads, unserved
from apps.langgraph.src.core.runs.containment import make_task
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.runs.upkeep import Upkeep
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.security.limits import RunRateLimit
from apps.langgraph.src.core.storage.database import open_storage
from shared.logging import configure_logging
from shared.settings import Settings, SettingsError, get_settings

VERSION = "1.0"

# Seconds that runs may take to finish when the service stops in development.
DEVELOPMENT_GRACE = 1


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the storage, load the agents, run the engine; give its runs back in the end."""
    settings = get_settings()
    loop = asyncio.get_running_loop()
    loop.set_task_factory(make_task)
    # For nodes and tools that are plain functions. The default is made for few of them: some that
    # hang would hold up every agent. Threads are started only as they are needed.
    loop.set_default_executor(ThreadPoolExecutor(settings.agents.max_runs, "agents"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, flush_traces)
        storage = await stack.enter_async_context(open_storage(settings))
        registry: AgentRegistry = app.state.registry
        await asyncio.to_thread(registry.load_all)
        # What is loaded by now stays: the garbage collector need not look at it for each run.
        gc.collect()
        gc.freeze()
        # The default is for small programs: it looks for garbage several times in each run.
        gc.set_threshold(10_000)
        engine = app.state.engine = Engine(storage, registry, settings.agents)
        webhooks = WebhookSender(storage.webhooks, settings.agents)
        stack.push_async_callback(webhooks.aclose)
        background = [Upkeep(engine, webhooks).run()]
        if settings.environment == "development":
            background.append(registry.watch())
        for work in background:
            stack.push_async_callback(_cancel, asyncio.create_task(work))
        grace = settings.agents.shutdown_seconds
        if settings.environment == "development":
            # Whoever saves a file does not want to wait; the new code goes on with the run.
            grace = min(grace, DEVELOPMENT_GRACE)
        stack.push_async_callback(engine.drain, grace)
        _drain_on_signal(engine, grace)
        yield


def create_app(settings: Settings, registry: AgentRegistry) -> FastAPI:
    """The application. `/openapi.json` needs the service token; there is no documentation page,
    because the usual ones load scripts from elsewhere. Raises `SettingsError`."""
    app = FastAPI(
        title="Agents service",
        version=VERSION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        max_body_size=settings.agents.max_body_bytes,
    )
    app.state.registry = registry
    app.state.run_rate = RunRateLimit(settings.agents.rate_limit)
    add_error_handlers(app)
    app.add_middleware(CorrelationIdMiddleware)
    # Tried in this order; those of runs are asked for most.
    for part in (runs, threads, assistants, operations, unserved, openai, agents):
        app.include_router(part.router)
    configure_tracing(app)
    return app


def _drain_on_signal(engine: Engine, grace: float) -> None:
    """Begin to drain with the signal to stop.

    The server closes the application only after its connections, and a stream stays open until its
    run has ended or been handed over.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    def drain() -> None:
        if not draining:
            draining.append(asyncio.create_task(engine.drain(grace)))

    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)

        def handle(number: int, frame: object, previous: object = previous) -> None:
            loop.call_soon_threadsafe(drain)
            if callable(previous):
                previous(number, frame)

        signal.signal(number, handle)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _app() -> FastAPI:
    settings = get_settings()
    configure_logging(settings.log_level, json=settings.environment == "production")
    return create_app(settings, get_registry())


try:
    app = _app()
except SettingsError as error:
    sys.exit(str(error))
