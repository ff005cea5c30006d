"""Is the service alive, and can it do its work?"""

import asyncio

import httpx
from fastapi import APIRouter, Request, Response
from langgraph_sdk.client import LangGraphClient

from apps.api.src.core.agents_service import explain
from apps.api.src.core.database import Database
from apps.api.src.core.schemas import Check, Health, Readiness

router = APIRouter(tags=["health"])
# Seconds. A dependency that is slower than this is not ready.
CHECK_TIMEOUT = 3


@router.get("/health")
async def health() -> Health:
    """The process is alive."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(request: Request, response: Response) -> Readiness:
    """Whether the database and the agents service can be used; 503 if not, and which one."""
    database, agents = await asyncio.gather(
        _check_database(request.app.state.database), _check_agents(request.app.state.agents)
    )
    report = Readiness(ready=database.ok and agents.ok, database=database, agents=agents)
    if not report.ready:
        response.status_code = 503
    return report


async def _check_database(database: Database) -> Check:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            detail = await database.problem()
    except TimeoutError:
        detail = f"The database has not answered within {CHECK_TIMEOUT} seconds."
    return Check(ok=detail is None, detail=detail)


async def _check_agents(client: LangGraphClient) -> Check:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            # Not /ok, which would not notice a wrong token.
            await client.assistants.search(limit=1)
    except TimeoutError:
        return Check(
            ok=False, detail=f"The agents service has not answered within {CHECK_TIMEOUT} seconds."
        )
    except httpx.HTTPError as error:
        return Check(ok=False, detail=explain(error))
    return Check(ok=True)
