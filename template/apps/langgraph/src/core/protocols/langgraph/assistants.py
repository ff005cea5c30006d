"""Assistants: every agent is one."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, find_agent
from apps.langgraph.src.core.protocols.errors import problems
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph.schemas import (
    Assistant,
    AssistantSearch,
    GraphSchema,
)
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.records import contains
from shared.settings import get_settings

router = APIRouter(prefix="/assistants", tags=["assistants"], route_class=JsonRoute)


@router.post("/search", responses=problems(413))
async def search_assistants(
    query: AssistantSearch, user: CurrentUser, runner: CurrentRunner
) -> list[Assistant]:
    """The agents that the user may use, and those that do not load, with their error."""
    found = [
        assistant
        for assistant in _assistants(runner, user)
        if (query.graph_id is None or query.graph_id == assistant.graph_id)
        and (query.name is None or query.name.lower() in assistant.name.lower())
        and contains(assistant.metadata, query.metadata or {})
    ]
    return found[query.offset : query.offset + query.limit]


@router.post("/count", responses=problems(413))
async def count_assistants(query: AssistantSearch, user: CurrentUser, runner: CurrentRunner) -> int:
    """The number of agents that a search would find."""
    whole = query.model_copy(update={"limit": 1000, "offset": 0})
    return len(await search_assistants(whole, user, runner))


@router.get("/{assistant_id}", responses=problems(403, 404, 503))
async def get_assistant(assistant_id: str, user: CurrentUser, runner: CurrentRunner) -> Assistant:
    """An agent."""
    agent = await find_agent(runner, user, assistant_id)
    return _assistant(agent, runner.registry.errors.get(agent.name), runner.started_at)


@router.get("/{assistant_id}/schemas", responses=problems(403, 404, 503))
async def get_schemas(assistant_id: str, user: CurrentUser, runner: CurrentRunner) -> GraphSchema:
    """JSON schemas of an agent's input, output, state and context."""
    agent = await find_agent(runner, user, assistant_id)
    return GraphSchema(
        graph_id=agent.name,
        input_schema=agent.input_schema,
        output_schema=agent.output_schema,
        state_schema=agent.output_schema,
        config_schema={},
        context_schema=agent.graph.get_context_jsonschema() or {},
    )


@router.get(
    "/{assistant_id}/graph",
    response_model=dict[str, Any],
    responses=problems(403, 404, 503),
)
async def get_graph(
    assistant_id: str, user: CurrentUser, runner: CurrentRunner, xray: bool = False
) -> Response:
    """The nodes and edges of an agent, with `xray` also those of its subgraphs."""
    agent = await find_agent(runner, user, assistant_id)
    return JsonResponse((await agent.graph.aget_graph(xray=xray)).to_json())


def _assistants(runner: Runner, user: User) -> list[Assistant]:
    registry, started = runner.registry, runner.started_at
    agents = [agent for agent in registry.list() if agent.allows(user.roles)]
    loaded = {agent.name for agent in registry.list()}
    broken = [
        Assistant(
            assistant_id=name,
            graph_id=name,
            name=name,
            description=None,
            metadata={"icon": "triangle-alert", "roles": [], "error": _visible(error)},
            created_at=started,
            updated_at=started,
        )
        for name, error in registry.errors.items()
        if name not in loaded
    ]
    good = [_assistant(agent, registry.errors.get(agent.name), started) for agent in agents]
    return sorted(good + broken, key=lambda assistant: assistant.assistant_id)


def _assistant(agent: Agent, error: str | None, started: datetime) -> Assistant:
    shown = agent.definition
    return Assistant(
        assistant_id=agent.name,
        graph_id=agent.name,
        name=shown.title,
        description=shown.description,
        metadata={"icon": shown.icon, "roles": shown.roles, "error": _visible(error)},
        created_at=started,
        updated_at=started,
    )


def _visible(error: str | None) -> str | None:
    """The error itself in development only, where its reader is the agent's author."""
    if error is None or get_settings().environment == "development":
        return error
    return "The newest version does not load; see the service's log."
