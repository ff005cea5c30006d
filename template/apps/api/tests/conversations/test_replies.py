"""Replies of the real agents service, by the agents in `support/agents`."""

from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from apps.api.tests.support.agents_service import AgentsService
from apps.api.tests.support.events import read_events

pytestmark = pytest.mark.usefixtures("agents_service")


@pytest.fixture
def conversation(admin: TestClient) -> str:
    """The address of a conversation with the test agent."""
    response = admin.post("/conversations", json={"agent": "test-agent"})
    assert response.status_code == 201, response.text
    return f"/conversations/{response.json()['id']}"


def ask(client: TestClient, conversation: str, prompt: str) -> list[dict[str, Any]]:
    return read_events(client.post(f"{conversation}/messages", json={"prompt": prompt}).text)


def test_a_reply_streams_and_is_stored(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "say the word")

    text = "".join(event["text"] for event in events if event["type"] == "token")
    rest = [event for event in events if event["type"] != "token"]
    assert [event["type"] for event in rest] == ["step", "message", "done"]
    assert text == rest[1]["message"]["content"] == "Reply: the word"
    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [(item["role"], item["content"]) for item in stored] == [
        ("user", "say the word"),
        ("assistant", "Reply: the word"),
    ]
    assert admin.get(conversation).json()["run_status"] == "success"


def test_a_subgraph_streams_as_part_of_its_step(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "nest it")

    tokens = [event for event in events if event["type"] == "token"]
    assert "".join(event["text"] for event in tokens) == "Reply: from a subgraph"
    assert {event["step"] for event in tokens} == {"work"}
    assert [event["step"] for event in events if event["type"] == "step"] == ["work"]


def test_a_conversation_goes_on(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "say one")
    ask(admin, conversation, "say two")

    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [item["content"] for item in stored][1::2] == ["Reply: one", "Reply: two"]


def test_a_human_decides_in_the_middle_of_a_run(admin: TestClient, conversation: str) -> None:
    asked = ask(admin, conversation, "ask May it go out?")

    assert [event["type"] for event in asked][-2:] == ["interrupt", "done"]
    assert asked[-2]["message"]["content"] == "May it go out?"
    waiting = admin.get(conversation).json()
    assert (waiting["run_status"], waiting["cancelled"]) == ("interrupted", False)

    resumed = read_events(admin.post(f"{conversation}/resume", json={"value": "yes"}).text)

    assert resumed[-2]["message"]["content"] == "Reply: the decision was yes"
    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert [item["content"] for item in stored][1:3] == ["May it go out?", "yes"]


def test_a_decision_that_is_not_awaited_is_refused(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "say hello")

    assert admin.post(f"{conversation}/resume", json={"value": "yes"}).status_code == 409


def test_an_open_interrupt_can_be_dismissed(admin: TestClient, conversation: str) -> None:
    ask(admin, conversation, "ask May it go out?")

    assert admin.post(f"{conversation}/cancel").status_code == 204

    dismissed = admin.get(conversation).json()
    assert (dismissed["run_status"], dismissed["cancelled"]) == ("interrupted", True)
    assert admin.post(f"{conversation}/resume", json={"value": "yes"}).status_code == 409
    assert ask(admin, conversation, "say something else")[-1]["status"] == "success"


def test_an_agent_that_fails_says_so(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "fail badly")

    assert [event["type"] for event in events][-2:] == ["error", "done"]
    failed = admin.get(conversation).json()
    assert (failed["run_status"], failed["error"]) == ("error", events[-2]["detail"])


def test_a_finished_reply_can_be_streamed_again(admin: TestClient, conversation: str) -> None:
    events = ask(admin, conversation, "say it")

    assert read_events(admin.get(f"{conversation}/stream").text) == events[-2:]


def test_a_deleted_conversation_leaves_nothing_behind(
    admin: TestClient, conversation: str, agents_service: AgentsService
) -> None:
    ask(admin, conversation, "say a secret")

    assert admin.delete(conversation).status_code == 204

    assert admin.get(conversation).status_code == 404
    thread = conversation.removeprefix("/conversations/")
    user = admin.get("/auth/me").json()["id"]
    response = httpx.get(
        f"http://127.0.0.1:{agents_service.port}/threads/{thread}",
        headers={"X-Api-Key": agents_service.token, "X-Platform-User": user},
    )
    assert response.status_code == 404


def test_a_conversation_with_an_unknown_agent_is_refused(admin: TestClient) -> None:
    assert admin.post("/conversations", json={"agent": "nobody"}).status_code == 404
