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
from fastapi.middleware.cors import CORSMiddleware

from apps.langgraph.src.core.agents.registry import AgentRegistry, get_registry
from apps.langgraph.src.core.observability import operations
from apps.langgraph.src.core.observability.tracing import configure_tracing, flush_traces
from apps.langgraph.src.core.protocols.error_handlers import add_error_handlers
from apps.langgraph.src.core.protocols.langgraph import (
    assistants,
    batches,
    runs,
    threads,
    unserved,
)
from apps.langgraph.src.core.protocols.native import routes as native
from apps.langgraph.src.core.protocols.openai import routes as openai
from apps.langgraph.src.core.runs.containment import make_task
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.upkeep import Upkeep
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.storage.storage import open_storage
from shared import __version__
from shared.headers import SecurityHeadersMiddleware
from shared.limits import BodyLimitMiddleware, RateLimit
from shared.logging import configure_logging
from shared.settings import Settings, SettingsError, get_settings

# Seconds for which the service waits for its runs when it stops in development.
DEVELOPMENT_GRACE = 1


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the storage, load the agents and run the runner; at the end hand over its runs."""
    settings = get_settings()
    loop = asyncio.get_running_loop()
    loop.set_task_factory(make_task)
    # For nodes and tools that are plain functions. The default executor has few threads: some that
    # hang would block every agent. Threads are started only when needed.
    loop.set_default_executor(ThreadPoolExecutor(settings.agents.max_runs, "agents"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, flush_traces)
        storage = await stack.enter_async_context(open_storage(settings))
        registry: AgentRegistry = app.state.registry
        await asyncio.to_thread(registry.load_all)
        # FastAPI prepares routes when they are first used, and other requests would wait for it.
        await asyncio.to_thread(app.openapi)
        # The garbage collector can skip all objects that exist now: they stay.
        gc.collect()
        gc.freeze()
        # With the default threshold it would run several times in each run of an agent.
        gc.set_threshold(10_000)
        app.state.starting = asyncio.Lock()
        runner = app.state.runner = Runner(storage, registry, settings.agents)
        webhooks = WebhookSender(storage.webhooks, settings.agents)
        stack.push_async_callback(webhooks.aclose)
        background = [Upkeep(runner, webhooks).run()]
        if settings.environment == "development":
            background.append(registry.watch())
        for work in background:
            stack.push_async_callback(_cancel, asyncio.create_task(work))
        grace = settings.agents.shutdown_seconds
        if settings.environment == "development":
            # A reload must be fast; the new process continues the runs.
            grace = min(grace, DEVELOPMENT_GRACE)
        stack.push_async_callback(runner.drain, grace)
        _drain_on_signal(runner, grace)
        yield


def create_app(settings: Settings, registry: AgentRegistry) -> FastAPI:
    """The application. Raises `SettingsError`.

    `/openapi.json` needs the service token. There are no documentation pages, because those of
    FastAPI load scripts from other servers.
    """
    app = FastAPI(
        title="Agents service",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        # A redirect would take its host from the request.
        redirect_slashes=False,
    )
    app.state.registry = registry
    app.state.run_rate = RateLimit("runs", "AGENTS__RATE_LIMIT", settings.agents.rate_limit)
    add_error_handlers(app)
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.agents.max_body_bytes)
    app.add_middleware(CorrelationIdMiddleware)
    if settings.agents.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.agents.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[
                "Content-Location",
                "Location",
                "X-Pagination-Next",
                "X-Pagination-Total",
                "X-Request-ID",
            ],
        )
    app.add_middleware(SecurityHeadersMiddleware)
    # Matched in this order: first the routes with the most requests.
    for part in (runs, batches, threads, assistants, operations, unserved, openai, native):
        app.include_router(part.router)
    configure_tracing(app)
    return app


def _drain_on_signal(runner: Runner, grace: float) -> None:
    """Start to drain at the signal to stop.

    The server shuts down the application only after its connections are closed, and a stream stays
    open until its run has ended or is handed over.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    draining: list[asyncio.Task[None]] = []

    def drain() -> None:
        if not draining:
            draining.append(asyncio.create_task(runner.drain(grace)))

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
