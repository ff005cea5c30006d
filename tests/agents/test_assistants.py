"""Assistants of the server protocol, with the values of LangGraph's development server."""

import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import ConflictError, NotFoundError

from tests.agents.service import Service


def test_an_assistant_that_may_exist_is_the_agent(service: Service) -> None:
    assistants = get_sync_client(url=service.url).assistants
    agent = assistants.get("echo")
    asked = {"config": {"tags": ["x"]}, "name": "Other", "if_exists": "do_nothing"}
    assert assistants.create("echo", **asked) == agent
    assert assistants.create("echo", assistant_id="echo", **asked) == agent
    with pytest.raises(ConflictError, match="Agents are folders"):
        assistants.create("echo")
    with pytest.raises(ConflictError, match="Agents are folders"):
        assistants.create("echo", assistant_id="other", **asked)
    with pytest.raises(NotFoundError, match="'nobody' not found"):
        assistants.create("nobody", **asked)


def test_a_search_of_assistants_is_sorted_in_pages_and_with_the_fields_asked_for(
    service: Service,
) -> None:
    assistants = get_sync_client(url=service.url).assistants
    every = assistants.search(limit=100, sort_by="name", sort_order="asc")
    names = [one["name"] for one in every]
    assert names == sorted(names, key=str.lower)
    assert len(names) == assistants.count()
    by_name = {"sort_by": "name", "limit": 2, "response_format": "object"}
    first = assistants.search(**by_name)
    assert [one["name"] for one in first["assistants"]] == names[:-3:-1]
    assert first["next"] == "2"
    last = assistants.search(**by_name, offset=len(names) - 1)
    assert [one["name"] for one in last["assistants"]] == names[:1]
    assert last["next"] is None
    [one] = assistants.search(graph_id="echo", select=["name", "version"])
    assert one == {"name": "Echo", "version": 1}


def test_subgraphs_of_an_assistant_have_schemas(service: Service) -> None:
    assistants = get_sync_client(url=service.url).assistants
    assert assistants.get_subgraphs("echo") == {}
    [(name, schemas)] = assistants.get_subgraphs("nested", recurse=True).items()
    assert name == "inner"
    assert set(schemas["input_schema"]["properties"]) == {"text"}
    assert assistants.get_subgraphs("nested", namespace="inner").keys() == {"inner"}
    assert assistants.get_subgraphs("nested", namespace="other") == {}
