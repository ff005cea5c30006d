"""Assistants: every agent is one."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.agents.json_schemas import describe
from apps.langgraph.src.core.protocols.dependencies import CurrentRunner, find_agent
from apps.langgraph.src.core.protocols.errors import problems
from apps.langgraph.src.core.protocols.json_route import JsonRoute
from apps.langgraph.src.core.protocols.langgraph.pages import page_of
from apps.langgraph.src.core.protocols.langgraph.schemas import (
    Assistant,
    AssistantCount,
    AssistantCreate,
    AssistantSearch,
    GraphSchema,
    Selected,
    SubgraphSchema,
)
from apps.langgraph.src.core.protocols.langgraph.unserved import FOLDERS
from apps.langgraph.src.core.protocols.responses import JsonResponse
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.security.identity import CurrentUser, User
from apps.langgraph.src.core.storage.records import contains
from shared.settings import get_settings

router = APIRouter(prefix="/assistants", tags=["assistants"], route_class=JsonRoute)


@router.post("", responses=problems(403, 404, 409, 413, 503))
async def create_assistant(
    body: AssistantCreate, user: CurrentUser, runner: CurrentRunner
) -> Assistant:
    """The agent `graph_id` as it is, for clients that accept an assistant that exists."""
    assistant = await get_assistant(body.graph_id, user, runner)
    if body.if_exists == "raise" or body.assistant_id not in (None, assistant.assistant_id):
        raise HTTPException(409, f'{FOLDERS} if_exists="do_nothing" returns the agent.')
    return assistant


@router.post("/search", response_model=list[Assistant | Selected], responses=problems(413))
async def search_assistants(
    query: AssistantSearch, user: CurrentUser, runner: CurrentRunner
) -> Response:
    """The agents that the user may use, and those that do not load, with their error."""
    found = _found(runner, user, query)
    if by := query.sort_by:
        descending = query.sort_order == "desc"
        found.sort(key=lambda one: str(getattr(one, by)).lower(), reverse=descending)
    page, headers = page_of(found[query.offset :], query.limit, query.offset)
    wanted = set(query.select or Assistant.model_fields)
    return JsonResponse([one.model_dump(include=wanted) for one in page], headers=headers)


@router.post("/count", responses=problems(413))
async def count_assistants(query: AssistantCount, user: CurrentUser, runner: CurrentRunner) -> int:
    """The number of agents that a search would find."""
    return len(_found(runner, user, query))


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
        context_schema=agent.context_schema,
    )


@router.get(
    "/{assistant_id}/graph",
    response_model=dict[str, Any],
    responses=problems(403, 404, 503),
)
async def get_graph(
    assistant_id: str, user: CurrentUser, runner: CurrentRunner, xray: bool | int = False
) -> Response:
    """The nodes and edges of an agent; `xray` adds its subgraphs, to a depth if it is a number."""
    agent = await find_agent(runner, user, assistant_id)
    return JsonResponse((await agent.graph.aget_graph(xray=xray)).to_json())


@router.get("/{assistant_id}/subgraphs", responses=problems(403, 404, 503))
@router.get("/{assistant_id}/subgraphs/{namespace}", responses=problems(403, 404, 503))
async def get_subgraphs(
    assistant_id: str,
    user: CurrentUser,
    runner: CurrentRunner,
    namespace: str | None = None,
    recurse: bool = False,
) -> dict[str, SubgraphSchema]:
    """The schemas of an agent's subgraphs by their names; `recurse` includes theirs."""
    agent = await find_agent(runner, user, assistant_id)
    found = agent.graph.aget_subgraphs(namespace=namespace, recurse=recurse)
    return {name: _subgraph_schema(graph) async for name, graph in found}


def _subgraph_schema(graph: Any) -> SubgraphSchema:
    output = describe(graph.get_output_jsonschema, graph.builder.output_schema)
    return SubgraphSchema(
        input_schema=describe(graph.get_input_jsonschema, graph.builder.input_schema),
        output_schema=output,
        state_schema=output,
        context_schema=describe(graph.get_context_jsonschema, graph.context_schema),
    )


def _found(runner: Runner, user: User, query: AssistantCount) -> list[Assistant]:
    return [
        assistant
        for assistant in _assistants(runner, user)
        if (query.graph_id is None or query.graph_id == assistant.graph_id)
        and (query.name is None or query.name.lower() in assistant.name.lower())
        and contains(assistant.metadata, query.metadata or {})
    ]


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
        metadata={
            "icon": shown.icon,
            "group": shown.group,
            "roles": shown.roles,
            "error": _visible(error),
        },
        created_at=started,
        updated_at=started,
    )


def _visible(error: str | None) -> str | None:
    """The error itself in development only, where its reader is the agent's author."""
    if error is None or get_settings().environment == "development":
        return error
    return "The newest version does not load; see the service's log."
