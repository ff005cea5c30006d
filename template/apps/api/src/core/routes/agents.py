"""The agents that one may talk to."""

from fastapi import APIRouter, Request

from apps.api.src.core.agents_service import agents_for
from apps.api.src.core.problems import problems
from apps.api.src.core.schemas import Agent
from apps.api.src.core.security import CurrentUser

router = APIRouter(tags=["agents"])


@router.get("/agents", responses=problems(401, 502, 503))
async def list_agents(request: Request, user: CurrentUser) -> list[Agent]:
    """The agents that the user's roles allow, by title."""
    return await agents_for(request.app.state.agents, user)
