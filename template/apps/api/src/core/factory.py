"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from prometheus_fastapi_instrumentator import Instrumentator

from apps.api.src.core.access_log import AccessLogMiddleware
from apps.api.src.core.agents_service import connect
from apps.api.src.core.answers import Answers
from apps.api.src.core.body_limit import BodyLimitMiddleware
from apps.api.src.core.customization import custom_routers
from apps.api.src.core.database import Database
from apps.api.src.core.openapi import document
from apps.api.src.core.problems import handle_problems
from apps.api.src.core.routes import agents, answers, auth, conversations, health
from apps.api.src.core.security import same_origin
from shared import __version__
from shared.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API service; without settings it can only give its OpenAPI document."""
    app = FastAPI(
        title="Agent platform API",
        version=__version__,
        lifespan=_lifespan,
        # The pages for people would load their scripts from outside.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(same_origin)],
        generate_unique_id_function=_operation_id,
    )
    app.state.settings = settings
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    handle_problems(app)
    for module in (health, auth, agents, conversations, answers):
        app.include_router(module.router)
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
    settings: Settings = app.state.settings
    app.state.database = Database(settings)
    app.state.agents = connect(settings)
    app.state.login_limiter = auth.login_limiter()
    app.state.answers = Answers(app.state.database, app.state.agents)
    app.state.answers.follow_all()
    yield
    await app.state.answers.close()
    await app.state.agents.aclose()
    await app.state.database.engine.dispose()


def _operation_id(route: APIRoute) -> str:
    # The generated client's functions are named after these.
    return f"custom_{route.name}" if "custom" in route.tags else route.name


async def _inside_only(request: Request) -> None:
    # Measurements are for the monitoring beside the service, not for what a proxy lets in.
    if "x-forwarded-for" in request.headers:
        raise HTTPException(404, "There is no such page.")
