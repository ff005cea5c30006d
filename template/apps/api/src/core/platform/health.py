"""Liveness and readiness of the service."""

import asyncio
from typing import Literal

import httpx
from fastapi import APIRouter, Request, Response
from langgraph_sdk.client import LangGraphClient

from apps.api.src.core.agents.service import explain
from apps.api.src.core.database import Database
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
    """Whether the service can do its work."""

    ready: bool
    database: Dependency
    agents: Dependency


@router.get("/health")
async def get_health() -> Health:
    """Whether the process is alive."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
async def get_readiness(request: Request, response: Response) -> Readiness:
    """Whether the database and the agents service can be used; 503 if not."""
    database, agents = await asyncio.gather(
        _database(request.app.state.database), _agents(request.app.state.agents)
    )
    readiness = Readiness(ready=database.ok and agents.ok, database=database, agents=agents)
    if not readiness.ready:
        response.status_code = 503
    return readiness


async def _database(database: Database) -> Dependency:
    try:
        async with asyncio.timeout(TIMEOUT):
            detail = await database.problem()
    except TimeoutError:
        detail = f"The database did not respond within {TIMEOUT} seconds."
    return Dependency(ok=detail is None, detail=detail)


async def _agents(client: LangGraphClient) -> Dependency:
    detail = None
    try:
        async with asyncio.timeout(TIMEOUT):
            # Not /ok, which does not look at the token.
            await client.assistants.search(limit=1)
    except TimeoutError:
        detail = f"The agents service did not respond within {TIMEOUT} seconds."
    except httpx.HTTPError as error:
        detail = explain(error)
    return Dependency(ok=detail is None, detail=detail)
