"""Security headers, and no redirects."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from apps.api.tests.support.agents_service import AgentsService
from shared.headers import HEADERS


@pytest.mark.parametrize("path", ["/health", "/auth/me", "/nowhere", "/conversations", "/metrics"])
def test_responses_are_neither_shown_nor_kept_by_browsers(admin: TestClient, path: str) -> None:
    headers = admin.get(path).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS


def test_a_failure_has_the_headers_too(app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("broken")

    response = TestClient(app, raise_server_exceptions=False).get("/broken")

    assert response.status_code == 500
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_a_stream_is_not_kept_either(
    agents_service: AgentsService, admin: TestClient, add_conversation: Callable[..., str]
) -> None:
    url = f"/conversations/{add_conversation()}/messages"
    with admin.stream("POST", url, json={"prompt": "Hello"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers.get_list("cache-control") == ["no-store"]


def test_a_route_can_set_other_headers(app: FastAPI) -> None:
    @app.get("/logo")
    async def logo() -> Response:
        return Response(b"", headers={"Cache-Control": "max-age=60"})

    assert TestClient(app).get("/logo").headers.get_list("cache-control") == ["max-age=60"]


@pytest.mark.parametrize("path", ["/conversations/", "/agents/", "/auth/login/", "/health/"])
def test_no_redirect_leads_to_the_host_that_a_request_names(admin: TestClient, path: str) -> None:
    response = admin.get(path, headers={"Host": "evil.example"}, follow_redirects=False)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "location" not in response.headers
