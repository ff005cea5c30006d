"""The agents that users may talk to."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

SetRoles = Callable[[list[str]], None]


@pytest.mark.usefixtures("agents_service")
def test_administrators_see_why_an_agent_does_not_load(admin: TestClient) -> None:
    agents = {agent["name"]: agent["error"] for agent in admin.get("/agents").json()}

    assert agents.keys() == {"broken-agent", "test-agent"}
    assert "nothing" in agents["broken-agent"]
    assert agents["test-agent"] is None


@pytest.mark.usefixtures("agents_service")
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


def test_agents_and_new_conversations_need_the_agents_service(admin: TestClient) -> None:
    responses = [admin.get("/agents"), admin.post("/conversations", json={"agent": "any"})]

    assert {response.status_code for response in responses} == {502}
