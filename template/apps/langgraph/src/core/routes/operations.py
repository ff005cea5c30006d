"""What operators and clients ask about the service itself."""

import math
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.routes.context import CurrentEngine
from apps.langgraph.src.core.routes.errors import responses
from apps.langgraph.src.core.security.identity import current_user

router = APIRouter(tags=["operations"])
private = [Depends(current_user)]


class Ok(BaseModel):
    """The service is alive."""

    ok: Literal[True] = True


class Health(BaseModel):
    """The service is alive."""

    status: Literal["ok"] = "ok"


class Info(BaseModel):
    """What this service can do, for LangGraph's clients."""

    version: str
    flags: dict[str, bool]


class Readiness(BaseModel):
    """Whether the service can take a run, and what it lacks."""

    status: Literal["ready", "not ready"]
    database: Literal["ok", "failed"]
    draining: bool
    agents: int
    agents_failing: list[str]


@router.get("/ok")
async def ok() -> Ok:
    """Alive, in the form of LangGraph's server."""
    return Ok()


@router.get("/health")
async def health() -> Health:
    """Alive; says nothing of the database, so that its loss does not restart the service."""
    return Health()


@router.get("/info")
async def info(request: Request) -> Info:
    """The service's version and protocol features."""
    return Info(version=request.app.version, flags={"assistants": True, "crons": False})


@router.get(
    "/ready",
    dependencies=private,
    responses={**responses(), 503: {"model": Readiness, "description": "Not ready"}},
)
async def ready(engine: CurrentEngine, response: Response) -> Readiness:
    """Whether the service can take a run."""
    try:
        await engine.storage.check()
        database: Any = "ok"
    except Exception:
        database = "failed"
    good = database == "ok" and not engine.draining
    response.status_code = 200 if good else 503
    return Readiness(
        status="ready" if good else "not ready",
        database=database,
        draining=engine.draining,
        agents=len(engine.registry.list()),
        agents_failing=sorted(engine.registry.errors),
    )


@router.get(
    "/metrics",
    dependencies=private,
    response_class=Response,
    responses={**responses(), 200: {"content": {"text/plain": {}}, "description": "Metrics"}},
)
async def get_metrics(engine: CurrentEngine) -> Response:
    """Metrics in Prometheus' format."""
    try:
        metrics.WAITING.set(await engine.storage.runs.waiting())
    except Exception:
        # Metrics are needed most while the database is away.
        metrics.WAITING.set(math.nan)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/openapi.json",
    dependencies=private,
    include_in_schema=False,
)
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document; private, because it names what there is."""
    return JSONResponse(request.app.openapi())
