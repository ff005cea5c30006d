"""The agents that the user may talk to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request

from apps.api.src.core.accounts.sessions import CurrentUser
from apps.api.src.core.agents.schemas import Agent
from apps.api.src.core.agents.service import agents_for, connect
from apps.api.src.core.platform.problems import problems


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.agents = connect(app.state.settings)
    app.state.known_agents = {}
    yield
    await app.state.agents.aclose()


router = APIRouter(tags=["agents"], lifespan=_lifespan)


@router.get("/agents", responses=problems(401, 502, 503))
async def list_agents(request: Request, user: CurrentUser) -> list[Agent]:
    """The agents that the user's roles allow, by title."""
    state = request.app.state
    return await agents_for(state.agents, user, state.known_agents)
