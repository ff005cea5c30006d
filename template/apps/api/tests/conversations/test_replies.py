"""Replies of the real agents service, by the agents in `support/agents`."""

import json
from collections.abc import Callable
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


def test_a_result_that_is_not_a_text_is_stored_as_it_is(admin: TestClient) -> None:
    conversation = start(admin, "report-agent")

    events = ask(admin, conversation, "sales")

    assert events[-1]["status"] == "success"
    stored = admin.get(f"{conversation}/messages").json()["items"]
    assert stored[-1]["result"] == {"subject": "sales", "pages": 3, "orders": []}
    assert json.loads(stored[-1]["content"]) == stored[-1]["result"]
    assert events[-2]["message"] == stored[-1]


def test_a_stream_tells_at_once_that_the_prompt_was_accepted(
    admin: TestClient, conversation: str
) -> None:
    response = admin.post(f"{conversation}/messages", json={"prompt": "say the word"})
    assert response.text.startswith(": accepted\n")


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


def start(client: TestClient, agent: str) -> str:
    created = client.post("/conversations", json={"agent": agent}).json()
    return f"/conversations/{created['id']}"


def test_a_decision_and_the_steps_around_it_are_kept(admin: TestClient) -> None:
    conversation = start(admin, "desk-agent")
    ask(admin, conversation, "A1")
    changed = {"name": "cancel_order", "args": {"order": "A2", "reasons": ["late"]}}
    value = {"decisions": [{"type": "edit", "edited_action": changed}]}

    events = read_events(admin.post(f"{conversation}/resume", json={"value": value}).text)

    prompt, question, decision, reply = admin.get(f"{conversation}/messages").json()["items"]
    assert decision["decision"] == {
        "interrupt_id": question["interrupt"]["id"],
        "value": value,
        "by": "admin@test.example",
    }
    assert [step["step"] for step in prompt["steps"]] == ["model", "model"]
    asked = prompt["steps"][0]["tool"]
    assert (asked["name"], asked["arguments"]["order"], asked["result"]) == (
        "cancel_order",
        "A1",
        None,
    )
    [taken] = [step["tool"] for step in decision["steps"] if step["tool"]]
    assert (taken["id"], taken["name"]) == (asked["id"], "cancel_order")
    assert taken["arguments"] == changed["args"]
    assert taken["result"].endswith("Order A2 is cancelled: late.")
    assert not taken["failed"]
    assert "HumanInTheLoop" not in json.dumps([prompt["steps"], decision["steps"], events])
    assert reply["content"].endswith("Order A2 is cancelled: late.")
    assert reply["steps"] == []


def test_steps_show_tools_without_credentials(admin: TestClient) -> None:
    conversation = start(admin, "desk-agent")

    asked = ask(admin, conversation, "A1 token=hunter2")
    value = {"decisions": [{"type": "approve"}]}
    events = read_events(admin.post(f"{conversation}/resume", json={"value": value}).text)

    stored = admin.get(f"{conversation}/messages").json()["items"]
    steps = [step["tool"] for message in stored for step in message["steps"] if step["tool"]]
    live = [event["tool"] for event in asked + events if event["type"] == "tool"]
    for calls in (steps, live):
        assert calls[0]["arguments"]["order"] == "A1 token=[redacted]"
        assert "token=[redacted] is cancelled" in calls[-1]["result"]
        assert "hunter2" not in json.dumps(calls)


def test_two_open_decisions_are_taken_one_after_the_other(admin: TestClient) -> None:
    conversation = start(admin, "survey-agent")
    asked = [one["message"] for one in ask(admin, conversation, "x") if one["type"] == "interrupt"]
    name, town = (one["interrupt"]["id"] for one in asked)
    decisions = f"{conversation}/resume"

    assert admin.post(decisions, json={"value": "Bern"}).status_code == 409
    value = {"value": "Bern", "interrupt_id": town}
    left = read_events(admin.post(decisions, json=value).text)[-2]["message"]

    assert (left["content"], left["interrupt"]["id"]) == ("Your name?", name)
    assert admin.get(conversation).json()["run_status"] == "interrupted"
    done = read_events(admin.post(decisions, json={"value": "Ann"}).text)
    assert done[-1]["status"] == "success"
    assert done[-2]["message"]["content"] == "Town: Bern"


def test_a_prompt_does_not_close_an_open_decision(admin: TestClient) -> None:
    conversation = start(admin, "desk-agent")
    ask(admin, conversation, "A1")

    refused = admin.post(f"{conversation}/messages", json={"prompt": "never mind"})

    assert refused.status_code == 409
    assert "dismiss" in refused.json()["detail"]
    assert admin.get(conversation).json()["run_status"] == "interrupted"
    assert len(admin.get(f"{conversation}/messages").json()["items"]) == 2
    admin.post(f"{conversation}/cancel").raise_for_status()
    assert ask(admin, conversation, "A3")[-1]["status"] == "interrupted"


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
    assert "badly" in failed["error"]


def test_an_office_worker_does_not_read_what_an_agent_raised(
    admin: TestClient, conversation: str, set_roles: Callable[[list[str]], None]
) -> None:
    set_roles(["sales"])
    events = ask(admin, conversation, "fail with token=abc123")

    shown = [
        events[-2]["detail"],
        admin.get(conversation).json()["error"],
        admin.get("/conversations").json()["items"][0]["error"],
        admin.patch(conversation, json={"title": "Mine"}).json()["error"],
    ]
    assert len(set(shown)) == 1
    assert "reference number" in shown[0]
    assert "abc123" not in shown[0]
    assert "RuntimeError" not in shown[0]


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
