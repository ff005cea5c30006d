"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from prometheus_fastapi_instrumentator import Instrumentator
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from apps.api.src.core.database import Database
from apps.api.src.core.features import ROUTERS
from apps.api.src.core.openapi import document
from apps.api.src.core.platform.access_log import AccessLogMiddleware
from apps.api.src.core.platform.customization import custom_routers
from apps.api.src.core.platform.operations import require_service_token
from apps.api.src.core.platform.operations import router as operations
from apps.api.src.core.platform.origin import same_origin
from apps.api.src.core.platform.problems import handle_problems
from shared import __version__
from shared.headers import SecurityHeadersMiddleware
from shared.limits import BodyLimitMiddleware, RateLimit
from shared.outages import log_outages
from shared.settings import Settings

# Bytes. The longest prompt takes 100,000 characters of up to 12 bytes (as \uXXXX\uXXXX).
MAX_BODY = 2_000_000


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API service; without settings it can only produce its OpenAPI document.

    Raises `SettingsError`.
    """
    app = FastAPI(
        title="Agent platform API",
        version=__version__,
        lifespan=_lifespan,
        # There are no documentation pages: they would load scripts from the internet.
        openapi_url=None,
        # A redirect would take its host from the request, and drop the prefix of a proxy.
        redirect_slashes=False,
        dependencies=[Depends(same_origin)],
        generate_unique_id_function=_operation_id,
    )
    app.state.settings = settings
    if settings:
        app.state.request_rate = RateLimit("requests", "API__RATE_LIMIT", settings.api.rate_limit)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    handle_problems(app)
    for router in (*ROUTERS, operations):
        app.include_router(router)
    for router in custom_routers():
        app.include_router(router, prefix="/custom", tags=["custom"])
    Instrumentator().instrument(app).expose(
        app, include_in_schema=False, dependencies=[Depends(require_service_token)]
    )
    app.add_middleware(BodyLimitMiddleware, max_bytes=MAX_BODY)
    app.add_middleware(AccessLogMiddleware)
    app.add_middleware(CorrelationIdMiddleware)
    if settings and settings.api.trusted_proxies:
        proxies = [str(network) for network in settings.api.trusted_proxies]
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    app.add_middleware(SecurityHeadersMiddleware)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.database = Database(app.state.settings)
    log_outages(app.state.database.engine.sync_engine)
    yield
    await app.state.database.engine.dispose()


def _operation_id(route: APIRoute) -> str:
    # The generated client's functions are named after these.
    return f"custom_{route.name}" if "custom" in route.tags else route.name
