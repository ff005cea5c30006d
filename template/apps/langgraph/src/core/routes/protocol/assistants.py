"""Assistants: every agent is one, under its own name."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.answers import JsonResponse
from apps.langgraph.src.core.routes.context import CurrentEngine, find_agent
from apps.langgraph.src.core.routes.errors import responses
from apps.langgraph.src.core.routes.json_route import JsonRoute
from apps.langgraph.src.core.routes.protocol.models import (
    Assistant,
    AssistantSearch,
    GraphSchema,
)
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.records import contains
from shared.settings import get_settings

router = APIRouter(prefix="/assistants", tags=["assistants"], route_class=JsonRoute)


@router.post("/search", responses=responses(413))
async def search_assistants(
    query: AssistantSearch, user: CurrentUser, engine: CurrentEngine
) -> list[Assistant]:
    """The agents that the user may use, and those that do not load with their error."""
    found = [
        assistant
        for assistant in _assistants(engine, user)
        if (query.graph_id is None or query.graph_id == assistant.graph_id)
        and (query.name is None or query.name.lower() in assistant.name.lower())
        and contains(assistant.metadata, query.metadata or {})
    ]
    return found[query.offset : query.offset + query.limit]


@router.post("/count", responses=responses(413))
async def count_assistants(query: AssistantSearch, user: CurrentUser, engine: CurrentEngine) -> int:
    """How many agents a search would find."""
    whole = query.model_copy(update={"limit": 1000, "offset": 0})
    return len(await search_assistants(whole, user, engine))


@router.get("/{assistant_id}", responses=responses(403, 404, 503))
async def get_assistant(assistant_id: str, user: CurrentUser, engine: CurrentEngine) -> Assistant:
    """One agent."""
    agent = await find_agent(engine, user, assistant_id)
    return _assistant(agent, engine.registry.errors.get(agent.name), engine.started_at)


@router.get("/{assistant_id}/schemas", responses=responses(403, 404, 503))
async def get_schemas(assistant_id: str, user: CurrentUser, engine: CurrentEngine) -> GraphSchema:
    """JSON schemas of what an agent takes and gives."""
    agent = await find_agent(engine, user, assistant_id)
    output = agent.output_schema()
    return GraphSchema(
        graph_id=agent.name,
        input_schema=agent.input_schema(),
        output_schema=output,
        state_schema=output,
        config_schema={},
        context_schema=agent.graph.get_context_jsonschema() or {},
    )


@router.get(
    "/{assistant_id}/graph",
    response_model=dict[str, Any],
    responses=responses(403, 404, 503),
)
async def get_graph(
    assistant_id: str, user: CurrentUser, engine: CurrentEngine, xray: bool = False
) -> Response:
    """The nodes and edges of an agent; with `xray` those of its subgraphs too."""
    agent = await find_agent(engine, user, assistant_id)
    return JsonResponse((await agent.graph.aget_graph(xray=xray)).to_json())


def _assistants(engine: Engine, user: User) -> list[Assistant]:
    registry, started = engine.registry, engine.started_at
    agents = [agent for agent in registry.list() if user.may_use(agent)]
    loaded = {agent.name for agent in registry.list()}
    broken = [
        Assistant(
            assistant_id=name,
            graph_id=name,
            name=name,
            description=None,
            metadata={"icon": "triangle-alert", "roles": [], "error": _shown(error)},
            created_at=started,
            updated_at=started,
        )
        for name, error in registry.errors.items()
        if name not in loaded
    ]
    good = [_assistant(agent, registry.errors.get(agent.name), started) for agent in agents]
    return sorted(good + broken, key=lambda assistant: assistant.assistant_id)


def _assistant(agent: Agent, error: str | None, started: datetime) -> Assistant:
    return Assistant(
        assistant_id=agent.name,
        graph_id=agent.name,
        name=agent.title,
        description=agent.description,
        metadata={"icon": agent.icon, "roles": list(agent.roles), "error": _shown(error)},
        created_at=started,
        updated_at=started,
    )


def _shown(error: str | None) -> str | None:
    """The whole error for the author, and that there is one for everybody else."""
    if error is None or get_settings().environment == "development":
        return error
    return "The newest version does not load; the service's log says why."
