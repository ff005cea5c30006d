"""What a request works with."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.errors import ForbiddenError
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.records import Thread


async def get_engine(request: Request) -> Engine:
    """The engine of this replica."""
    engine: Engine = request.app.state.engine
    return engine


CurrentEngine = Annotated[Engine, Depends(get_engine)]


async def find_agent(engine: Engine, user: User, name: str) -> Agent:
    """An agent that the user may use.

    Raises `AgentNotFound`, `AgentUnavailable`, `ForbiddenError`.
    """
    agent = await engine.registry.find(name)
    if not user.may_use(agent):
        raise ForbiddenError(f"The agent {name!r} is for other roles than yours.")
    return agent


async def find_thread(thread_id: UUID, user: CurrentUser, engine: CurrentEngine) -> Thread:
    """The user's thread in the path. Raises `ThreadNotFoundError`."""
    return await engine.storage.threads.get(str(thread_id), user.id)


CurrentThread = Annotated[Thread, Depends(find_thread)]
