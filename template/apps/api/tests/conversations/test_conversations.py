"""Conversations while the agents service is down."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from apps.api.src.core.conversations.reply_routes import derive_title
from apps.api.tests.support.events import read_events

AddConversation = Callable[..., str]


def test_what_belongs_to_another_user_does_not_exist(
    admin: TestClient, add_conversation: AddConversation
) -> None:
    url = f"/conversations/{add_conversation('other@test.example')}"

    responses = [
        admin.get(url),
        admin.patch(url, json={"title": "mine"}),
        admin.delete(url),
        admin.get(f"{url}/messages"),
        admin.post(f"{url}/messages", json={"prompt": "hello"}),
        admin.post(f"{url}/resume", json={"value": True}),
        admin.get(f"{url}/stream"),
        admin.post(f"{url}/cancel"),
    ]

    assert {response.status_code for response in responses} == {404}
    assert admin.get("/conversations").json()["items"] == []


def test_pages_of_conversations_show_each_once_the_latest_first(
    admin: TestClient, add_conversation: AddConversation
) -> None:
    ids = [add_conversation() for _ in range(5)]

    pages: list[list[str]] = []
    where = {"limit": "2"}
    while "cursor" in where or not pages:
        page = admin.get("/conversations", params=where).json()
        pages.append([item["id"] for item in page["items"]])
        where = {"limit": "2", "cursor": page["next"]} if page["next"] else {"limit": "2"}

    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


@pytest.mark.parametrize("cursor", ["", "yesterday", "1_x", "\x00"])
def test_an_invalid_cursor_is_refused(admin: TestClient, cursor: str) -> None:
    assert admin.get("/conversations", params={"cursor": cursor}).status_code == 422


def test_messages_are_paged_from_the_end(
    admin: TestClient, add_conversation: AddConversation
) -> None:
    url = f"/conversations/{add_conversation(messages=5)}/messages"

    last = admin.get(url, params={"limit": 3}).json()
    first = admin.get(url, params={"limit": 3, "before": last["before"]}).json()

    assert [item["content"] for item in last["items"]] == [f"message {n}" for n in (2, 3, 4)]
    assert [item["content"] for item in first["items"]] == ["message 0", "message 1"]
    assert first["before"] is None


def test_a_title_can_be_changed(admin: TestClient, add_conversation: AddConversation) -> None:
    url = f"/conversations/{add_conversation(title='old')}"

    assert admin.patch(url, json={"title": "  new  "}).json()["title"] == "new"
    assert admin.get(url).json()["title"] == "new"


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "nul \x00"])
def test_a_title_that_cannot_be_stored_is_refused(
    admin: TestClient, add_conversation: AddConversation, title: str
) -> None:
    response = admin.patch(f"/conversations/{add_conversation()}", json={"title": title})

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "body.title"


def test_the_prompt_is_kept_when_the_agents_service_is_down(
    admin: TestClient, add_conversation: AddConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.api.src.core.conversations.follower.PATIENCE", 0)
    url = f"/conversations/{add_conversation()}"

    events = read_events(admin.post(f"{url}/messages", json={"prompt": "Plan a launch"}).text)

    assert [event["type"] for event in events] == ["error", "done"]
    assert "agents service" in events[0]["detail"]
    assert admin.get(f"{url}/messages").json()["items"][0]["content"] == "Plan a launch"
    conversation = admin.get(url).json()
    assert (conversation["run_status"], conversation["title"]) == ("error", "Plan a launch")


def test_a_conversation_is_not_half_deleted(
    admin: TestClient, add_conversation: AddConversation
) -> None:
    url = f"/conversations/{add_conversation()}"

    assert admin.delete(url).status_code == 502
    assert admin.get(url).status_code == 200


def test_cancelling_without_a_running_reply_is_fine(
    admin: TestClient, add_conversation: AddConversation
) -> None:
    assert admin.post(f"/conversations/{add_conversation()}/cancel").status_code == 204


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("Launch a shop", "Launch a shop"),
        ("\n  first line\nsecond", "first line"),
        ("word " * 40, ("word " * 15).strip() + "…"),
        ("x" * 300, "x" * 79 + "…"),
        ("Straße für 東京", "Straße für 東京"),
    ],
)
def test_a_title_is_the_first_line_of_the_prompt(prompt: str, title: str) -> None:
    assert derive_title(prompt) == title
    assert len(derive_title(prompt)) <= 80
