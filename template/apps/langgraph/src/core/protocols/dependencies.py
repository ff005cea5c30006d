"""FastAPI dependencies of all protocols."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.errors import ForbiddenError
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.records import Thread


async def get_runner(request: Request) -> Runner:
    """The runner of this replica."""
    runner: Runner = request.app.state.runner
    return runner


CurrentRunner = Annotated[Runner, Depends(get_runner)]


async def find_agent(runner: Runner, user: User, name: str) -> Agent:
    """An agent that the user may use.

    Raises `AgentNotFoundError`, `AgentUnavailableError`, `ForbiddenError`.
    """
    agent = await runner.registry.find(name)
    if not agent.allows(user.roles):
        raise ForbiddenError(f"The agent {name!r} is for other roles than yours.")
    return agent


async def find_thread(thread_id: UUID, user: CurrentUser, runner: CurrentRunner) -> Thread:
    """The user's thread in the path. Raises `ThreadNotFoundError`."""
    return await runner.storage.threads.get(str(thread_id), user.id)


CurrentThread = Annotated[Thread, Depends(find_thread)]
