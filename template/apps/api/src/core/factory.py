"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from prometheus_fastapi_instrumentator import Instrumentator

from apps.api.src.core.database import Database
from apps.api.src.core.features import ROUTERS
from apps.api.src.core.openapi import document
from apps.api.src.core.platform.access_log import AccessLogMiddleware
from apps.api.src.core.platform.customization import custom_routers
from apps.api.src.core.platform.limits import BodyLimitMiddleware
from apps.api.src.core.platform.origin import same_origin
from apps.api.src.core.platform.problems import handle_problems
from shared import __version__
from shared.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API service; without settings it can only produce its OpenAPI document."""
    app = FastAPI(
        title="Agent platform API",
        version=__version__,
        lifespan=_lifespan,
        # These pages load their scripts from the internet.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(same_origin)],
        generate_unique_id_function=_operation_id,
    )
    app.state.settings = settings
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    handle_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    for router in custom_routers():
        app.include_router(router, prefix="/custom", tags=["custom"])
    Instrumentator().instrument(app).expose(
        app, include_in_schema=False, dependencies=[Depends(_inside_only)]
    )
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(AccessLogMiddleware)
    app.add_middleware(CorrelationIdMiddleware)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.database = Database(app.state.settings)
    yield
    await app.state.database.engine.dispose()


def _operation_id(route: APIRoute) -> str:
    # The generated client's functions are named after these.
    return f"custom_{route.name}" if "custom" in route.tags else route.name


async def _inside_only(request: Request) -> None:
    # Metrics are for monitoring beside the service, not for requests through a proxy.
    if "x-forwarded-for" in request.headers:
        raise HTTPException(404, "There is no such page.")
