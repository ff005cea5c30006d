"""A smoke test of the service in one process, for changes in `core`."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from apps.langgraph.src.core.agents.registry import AgentRegistry
from apps.langgraph.src.core.app import create_app
from apps.langgraph.src.core.migrate import migrate
from apps.langgraph.src.core.protocols import responses
from apps.langgraph.src.core.runs import upkeep
from shared.migrations import run_job
from shared.settings import get_settings

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
FAILING = SLOW.replace("return {}", "raise ValueError('no')")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a service with one agent, as the holder of the service token."""
    folder: Path = tmp_path_factory.mktemp("agents")
    for name, graph in (("echo", ECHO), ("slow", SLOW), ("failing", FAILING)):
        (folder / name).mkdir()
        (folder / name / "graph.py").write_text(graph)
    with pytest.MonkeyPatch.context() as patch:
        # Not this project's data: a running service may be using it.
        patch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("data")))
        get_settings.cache_clear()
        patch.setattr(upkeep, "SHOW_LIFE", 0.05)
        assert run_job(migrate) == 0
        token = get_settings().service_token.get_secret_value()
        app = create_app(get_settings(), AgentRegistry(folder))
        with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
            yield client
    get_settings.cache_clear()


def test_an_agent_replies_at_its_address(client: TestClient) -> None:
    response = client.post("/echo/generate", json={"prompt": "hello"})
    assert response.json()["output"] == "echo: hello"


def test_a_run_streams_and_can_be_replayed(client: TestClient) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "hello"}, "stream_mode": ["updates"]}
    live = client.post("/runs/stream", json=body)
    replayed = client.get(live.headers["location"])
    assert live.text.startswith("event: metadata\n")
    assert replayed.text == live.text


def test_a_silent_stream_shows_that_it_lives(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "HEARTBEAT", 0.05)
    body = {"assistant_id": "slow", "input": {"messages": "hello"}}
    response = client.post("/runs/stream", json=body)
    assert "\n\n: alive\n\n" in response.text
    assert "event: end\n" in response.text


SAID = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/runs/wait", {"assistant_id": "slow", "input": {"messages": SAID}}, ["messages", 0]),
        ("/slow/generate", {"input": {"messages": SAID}}, ["values"]),
        ("/v1/chat/completions", {"model": "slow", "messages": SAID}, ["choices", 0, "message"]),
    ],
)
def test_a_response_that_takes_long_begins_with_white_space(
    client: TestClient,
    path: str,
    body: dict[str, Any],
    place: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(responses, "HEARTBEAT", 0.05)
    response = client.post(path, json=body)
    assert response.text.startswith("\n\n")
    assert reduce(lambda value, key: value[key], place, response.json()) is not None
    thread = response.headers["content-location"].rpartition("/runs/")[0]
    assert client.get(f"{thread}/state").json()["values"]["messages"][0]["content"] == "hello"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/failing/generate", {"prompt": "hello"}),
        ("/v1/chat/completions", {"model": "failing", "messages": SAID}),
    ],
)
def test_a_failure_has_its_status_unless_the_response_has_begun(
    client: TestClient, path: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    early = client.post(path, json=body)
    monkeypatch.setattr(responses, "HEARTBEAT", 0.05)
    late = client.post(path, json=body)
    assert (early.status_code, late.status_code) == (500, 200)
    assert early.json()["error"].keys() == late.json()["error"].keys()
    assert early.json().get("status") == late.json().get("status")


def test_another_users_thread_cannot_be_seen(client: TestClient) -> None:
    made = client.post("/threads", json={}, headers={"X-Platform-User": "anna"}).json()
    place = f"/threads/{made['thread_id']}"
    assert client.get(place, headers={"X-Platform-User": "anna"}).status_code == 200
    assert client.get(place, headers={"X-Platform-User": "ben"}).status_code == 404


def test_a_stranger_is_refused(client: TestClient) -> None:
    assert client.get("/v1/models", headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/health", headers={"Authorization": "Bearer x"}).status_code == 200


def test_pages_of_listed_origins_may_send_requests() -> None:
    page, other = "https://chat.acme.example", "https://other.example"
    settings = get_settings().model_copy(deep=True)

    def allowed(origin: str) -> str | None:
        client = TestClient(create_app(settings, AgentRegistry(Path("none"))))
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-api-key, content-type",
        }
        response = client.options("/threads", headers=headers)
        return response.headers.get("access-control-allow-origin")

    assert allowed(page) is None
    settings.agents.cors_origins = [page]
    assert (allowed(page), allowed(other)) == (page, None)
