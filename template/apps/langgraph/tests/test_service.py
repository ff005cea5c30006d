"""A smoke test of the service in one process, for changes in `core`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from apps.langgraph.src.core.agents.registry import AgentRegistry
from apps.langgraph.src.core.app import create_app
from apps.langgraph.src.core.migrate import migrate
from apps.langgraph.src.core.protocols import responses
from apps.langgraph.src.core.runs import upkeep
from shared.migrations import run_job
from shared.settings import Settings, get_settings

ECHO = """
from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph

def reply(state):
    return {"messages": [AIMessage("echo: " + state["messages"][-1].text)]}

graph = StateGraph(MessagesState).add_node(reply).set_entry_point("reply")
"""
SLOW = """
import asyncio
from langgraph.graph import MessagesState, StateGraph

async def reply(state):
    await asyncio.sleep(0.5)
    return {}

graph = StateGraph(MessagesState).add_node(reply).set_entry_point("reply")
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a service with one agent, as the holder of the service token."""
    folder: Path = tmp_path_factory.mktemp("agents")
    for name, graph in (("echo", ECHO), ("slow", SLOW)):
        (folder / name).mkdir()
        (folder / name / "graph.py").write_text(graph)
    with pytest.MonkeyPatch.context() as patch:
        # Not this project's data: a running service may be using it.
        patch.setattr(Settings, "data_dir", tmp_path_factory.mktemp("data"))
        patch.setattr(upkeep, "SHOW_LIFE", 0.05)
        assert run_job(migrate) == 0
        token = get_settings().service_token.get_secret_value()
        app = create_app(get_settings(), AgentRegistry(folder))
        with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
            yield client


def test_an_agent_replies_at_its_address(client: TestClient) -> None:
    response = client.post("/echo/generate", json={"prompt": "hello"})
    assert response.json()["output"] == "echo: hello"


def test_a_run_streams_and_can_be_replayed(client: TestClient) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "hello"}, "stream_mode": ["updates"]}
    live = client.post("/runs/stream", json=body)
    replayed = client.get(live.headers["location"])
    assert live.text.startswith("event: metadata\n")
    assert replayed.text == live.text


@pytest.mark.parametrize("path", ["stream", "wait"])
def test_a_silent_run_shows_that_it_lives(
    client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "HEARTBEAT", 0.05)
    monkeypatch.setattr(responses, "PATIENCE", 0.05)
    body = {"assistant_id": "slow", "input": {"messages": "hello"}}
    response = client.post(f"/runs/{path}", json=body)
    if path == "stream":
        assert "\n\n: alive\n\n" in response.text
        assert "event: end\n" in response.text
    else:
        assert response.text.startswith("\n\n")
        assert response.json()["messages"][0]["content"] == "hello"


def test_another_users_thread_cannot_be_seen(client: TestClient) -> None:
    made = client.post("/threads", json={}, headers={"X-Platform-User": "anna"}).json()
    place = f"/threads/{made['thread_id']}"
    assert client.get(place, headers={"X-Platform-User": "anna"}).status_code == 200
    assert client.get(place, headers={"X-Platform-User": "ben"}).status_code == 404


def test_a_stranger_is_refused(client: TestClient) -> None:
    assert client.get("/v1/models", headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/health", headers={"Authorization": "Bearer x"}).status_code == 200
