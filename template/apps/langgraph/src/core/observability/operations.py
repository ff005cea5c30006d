"""Routes about the service itself: health, version, metrics."""

import asyncio
import math
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner
from apps.langgraph.src.core.protocols.errors import problems
from apps.langgraph.src.core.security.identity import current_user, may_see_details

router = APIRouter(tags=["operations"])
private = [Depends(current_user)]
# Seconds. A slower database is not ready.
TIMEOUT = 3


class Ok(BaseModel):
    """The service is alive."""

    ok: Literal[True] = True


class Health(BaseModel):
    """The service is alive."""

    status: Literal["ok"] = "ok"


class Info(BaseModel):
    """The service's version and features, for LangGraph's clients."""

    version: str
    flags: dict[str, bool]


class Readiness(BaseModel):
    """Whether the service can run agents; the other fields need the service token."""

    status: Literal["ready", "not ready"]
    database: Literal["ok", "failed"] | None = None
    draining: bool | None = None
    agents: int | None = None
    agents_failing: list[str] | None = None


@router.get("/ok")
async def ok() -> Ok:
    """Whether the process responds, in the form of LangGraph's server."""
    return Ok()


@router.get("/health")
async def health() -> Health:
    """Whether the process responds, even without the database: a restart would not help."""
    return Health()


@router.get("/info")
async def info(request: Request) -> Info:
    """The service's version and features."""
    return Info(version=request.app.version, flags={"assistants": True, "crons": False})


@router.get(
    "/ready",
    response_model_exclude_none=True,
    responses={503: {"model": Readiness, "description": "Not ready"}},
)
async def ready(request: Request, runner: CurrentRunner, response: Response) -> Readiness:
    """Whether the service can run agents; with the service token also why not."""
    try:
        async with asyncio.timeout(TIMEOUT):
            await runner.storage.check()
        database: Any = "ok"
    except Exception:
        database = "failed"
    good = database == "ok" and not runner.draining
    response.status_code = 200 if good else 503
    readiness = Readiness(status="ready" if good else "not ready")
    if may_see_details(request):
        readiness.database = database
        readiness.draining = runner.draining
        readiness.agents = len(runner.registry.list())
        readiness.agents_failing = sorted(runner.registry.errors)
    return readiness


@router.get(
    "/metrics",
    dependencies=private,
    response_class=Response,
    responses={**problems(), 200: {"content": {"text/plain": {}}, "description": "Metrics"}},
)
async def get_metrics(runner: CurrentRunner) -> Response:
    """Metrics in Prometheus' format."""
    try:
        metrics.WAITING.set(await runner.storage.runs.pending())
    except Exception:
        # The other metrics are needed while the database is away.
        metrics.WAITING.set(math.nan)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/openapi.json",
    dependencies=private,
    include_in_schema=False,
)
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document; private, because it shows all routes."""
    return JSONResponse(request.app.openapi())
