"""Answers of the real agents service, by the agent in `tests/agents`."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from apps.api.tests.support import AgentsService, read_events

SetRoles = Callable[[list[str]], None]
pytestmark = pytest.mark.usefixtures("agents_service")


@pytest.fixture
def conversation(admin: TestClient) -> str:
    """The address of a conversation with the test agent."""
    answer = admin.post("/conversations", json={"agent": "test-agent"})
    assert answer.status_code == 201, answer.text
    return f"/conversations/{answer.json()['id']}"


def ask(client: TestClient, conversation: str, prompt: str) -> list[dict[str, Any]]:
    return read_events(client.post(f"{conversation}/messages", json={"prompt": prompt}).text)


def test_an_answer_streams_and_is_stored(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "say the word")

    text = "".join(event["text"] for event in events if event["type"] == "token")
    rest = [event for event in events if event["type"] != "token"]
    assert [event["type"] for event in rest] == ["step", "message", "done"]
    assert text == rest[1]["message"]["content"] == "Answer: the word"
    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [(item["role"], item["content"]) for item in stored] == [
        ("user", "say the word"),
        ("assistant", "Answer: the word"),
    ]
    assert admin.get(conversation).json()["status"] == "idle"


def test_a_subgraph_streams_as_part_of_its_step(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "nest it")

    tokens = [event for event in events if event["type"] == "token"]
    assert "".join(event["text"] for event in tokens) == "Answer: from a subgraph"
    assert {event["step"] for event in tokens} == {"work"}
    assert [event["step"] for event in events if event["type"] == "step"] == ["work"]


def test_a_conversation_goes_on(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "say one")
    ask(admin, conversation, "say two")

    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [item["content"] for item in stored][1::2] == ["Answer: one", "Answer: two"]


def test_a_human_decides_in_the_middle_of_a_run(admin: TestClient, conversation: str) -> None:
    asked = ask(admin, conversation, "ask May it go out?")

    assert [event["type"] for event in asked][-2:] == ["interrupt", "done"]
    assert asked[-2]["message"]["content"] == "May it go out?"
    assert admin.get(conversation).json()["status"] == "interrupted"

    resumed = read_events(admin.post(f"{conversation}/resume", json={"value": "yes"}).text)

    assert resumed[-2]["message"]["content"] == "Answer: the decision was yes"
    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [item["content"] for item in stored][1:3] == ["May it go out?", "yes"]


def test_a_decision_nobody_waits_for_is_refused(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "say hello")

    assert admin.post(f"{conversation}/resume", json={"value": "yes"}).status_code == 409


def test_an_open_question_can_be_dismissed(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "ask May it go out?")

    assert admin.post(f"{conversation}/cancel").status_code == 204

    assert admin.get(conversation).json()["status"] == "idle"
    assert ask(admin, conversation, "say something else")[-1]["status"] == "succeeded"


def test_an_agent_that_fails_says_so(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "fail badly")

    assert [event["type"] for event in events][-2:] == ["error", "done"]
    failed = admin.get(conversation).json()
    assert (failed["status"], failed["error"]) == ("failed", events[-2]["detail"])


def test_the_outcome_can_be_read_again(admin: TestClient, conversation: str) -> None:
    told = ask(admin, conversation, "say it")

    assert read_events(admin.get(f"{conversation}/stream").text) == told[-2:]


def test_a_deleted_conversation_leaves_nothing_behind(
    admin: TestClient, conversation: str, agents_service: AgentsService
) -> None:
    ask(admin, conversation, "say a secret")

    assert admin.delete(conversation).status_code == 204

    assert admin.get(conversation).status_code == 404
    thread = conversation.removeprefix("/conversations/")
    user = admin.get("/auth/me").json()["id"]
    answer = httpx.get(
        f"http://127.0.0.1:{agents_service.port}/threads/{thread}",
        headers={"X-Api-Key": agents_service.token, "X-Platform-User": user},
    )
    assert answer.status_code == 404


def test_a_conversation_with_an_unknown_agent_is_refused(admin: TestClient) -> None:
    assert admin.post("/conversations", json={"agent": "nobody"}).status_code == 404


def test_administrators_see_why_an_agent_does_not_load(admin: TestClient) -> None:
    agents = {agent["name"]: agent["error"] for agent in admin.get("/agents").json()}

    assert agents.keys() == {"broken-agent", "test-agent"}
    assert "nothing" in agents["broken-agent"]
    assert agents["test-agent"] is None


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ([], {"test-agent"}),
        (["sales"], {"test-agent", "sales-agent"}),
        (["Büro, Süd"], {"test-agent", "sales-agent"}),
    ],
)
def test_others_see_the_agents_for_their_roles(
    admin: TestClient, set_roles: SetRoles, roles: list[str], names: set[str]
) -> None:
    set_roles(roles)

    assert {agent["name"] for agent in admin.get("/agents").json()} == names
    allowed = admin.post("/conversations", json={"agent": "sales-agent"}).status_code
    assert allowed == (201 if roles else 404)
