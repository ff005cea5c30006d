"""Liveness and readiness of the service."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Request, Response

from apps.api.src.core.agents.service import problem
from apps.api.src.core.platform.operations import has_service_token
from apps.api.src.core.platform.schemas import Output

router = APIRouter(tags=["health"])
# Seconds. A slower dependency is not ready.
TIMEOUT = 3


class Health(Output):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Dependency(Output):
    """A dependency of the service; `detail` says what is wrong and what to do."""

    ok: bool
    detail: str | None = None


class Readiness(Output):
    """Whether the service can do its work; the dependencies are shown for the service token."""

    ready: bool
    database: Dependency | None = None
    agents: Dependency | None = None


@router.get("/health")
async def get_health() -> Health:
    """Whether the process is alive."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
async def get_readiness(request: Request, response: Response) -> Readiness:
    """Whether the database and the agents service can be used; 503 if not.

    With the service token, the response says what is wrong.
    """
    state = request.app.state
    database, agents = await asyncio.gather(
        _ask("database", state.database.problem()), _ask("agents service", problem(state.agents))
    )
    readiness = Readiness(ready=database.ok and agents.ok)
    if has_service_token(request):
        readiness.database, readiness.agents = database, agents
    if not readiness.ready:
        response.status_code = 503
    return readiness


async def _ask(name: str, problem: Awaitable[str | None]) -> Dependency:
    try:
        async with asyncio.timeout(TIMEOUT):
            detail = await problem
    except TimeoutError:
        detail = f"The {name} did not respond within {TIMEOUT} seconds."
    return Dependency(ok=detail is None, detail=detail)
