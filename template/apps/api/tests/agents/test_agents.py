"""The agents that users may talk to."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from langgraph_sdk.client import LangGraphClient

from shared.settings import Settings

SetRoles = Callable[[list[str]], None]
FOR_ALL = {"desk-agent", "report-agent", "survey-agent", "test-agent"}


@pytest.mark.usefixtures("agents_service")
def test_administrators_see_why_an_agent_does_not_load(admin: TestClient) -> None:
    agents = {agent["name"]: agent["error"] for agent in admin.get("/agents").json()}

    assert agents.keys() == FOR_ALL | {"broken-agent"}
    assert "nothing" in agents["broken-agent"]
    assert agents["test-agent"] is None


@pytest.mark.usefixtures("agents_service")
@pytest.mark.parametrize(
    ("roles", "names"),
    [
        ([], FOR_ALL),
        (["sales"], FOR_ALL | {"sales-agent"}),
        (["Büro, Süd"], FOR_ALL | {"sales-agent"}),
    ],
)
def test_others_see_the_agents_for_their_roles(
    admin: TestClient, set_roles: SetRoles, roles: list[str], names: set[str]
) -> None:
    set_roles(roles)

    assert {agent["name"] for agent in admin.get("/agents").json()} == names
    allowed = admin.post("/conversations", json={"agent": "sales-agent"}).status_code
    assert allowed == (201 if roles else 404)


def test_agents_and_new_conversations_need_the_agents_service(admin: TestClient) -> None:
    responses = [admin.get("/agents"), admin.post("/conversations", json={"agent": "any"})]

    assert {response.status_code for response in responses} == {502}


@pytest.mark.usefixtures("agents_service")
def test_the_last_list_is_shown_while_the_agents_service_is_away(
    app: FastAPI, admin: TestClient, set_roles: SetRoles
) -> None:
    listed = admin.get("/agents").json()
    away = httpx.MockTransport(lambda _: httpx.Response(503, json={"detail": "shutting down"}))
    app.state.agents = LangGraphClient(httpx.AsyncClient(base_url="http://agents", transport=away))

    assert admin.get("/agents").json() == listed
    assert admin.post("/conversations", json={"agent": "test-agent"}).status_code == 201
    set_roles(["sales"])
    assert admin.get("/agents").status_code == 502


@pytest.mark.parametrize("status", [422, 500])
@pytest.mark.parametrize("role", ["sales", "developer"])
def test_only_technical_roles_read_errors_of_the_agents_service(
    app: FastAPI,
    settings: Settings,
    admin: TestClient,
    set_roles: SetRoles,
    role: str,
    status: int,
) -> None:
    token = {"Authorization": f"Bearer {settings.service_token.get_secret_value()}"}
    failing = httpx.MockTransport(
        lambda _: httpx.Response(status, json={"detail": "broken: token=abc123"})
    )
    app.state.agents = LangGraphClient(
        httpx.AsyncClient(base_url="http://agents", transport=failing)
    )
    set_roles([role])

    problem = admin.get("/agents").json()

    assert "abc123" not in admin.get("/ready", headers=token).text + problem["detail"]
    technical = problem["detail"] == "Error from the agents service: broken: token=[redacted]"
    reference = f"reference number {problem['request_id']}" in problem["detail"]
    assert (technical, reference) == (role == "developer", role == "sales")
