"""Problem documents, limits of size and number, and requests from other sites."""

import pytest
from fastapi.testclient import TestClient

from apps.api.src.core.factory import MAX_BODY, create_app
from shared.settings import Settings, SettingsError


def test_errors_are_problem_documents_with_the_request_id(browser: TestClient) -> None:
    response = browser.get("/auth/me", headers={"X-Request-ID": "0123456789abcdef0123456789abcdef"})

    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_a_request_that_would_fill_the_memory_is_refused(browser: TestClient) -> None:
    response = browser.post("/auth/login", content=b"x" * (MAX_BODY + 1))

    assert response.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_can_change_nothing(
    admin: TestClient, headers: dict[str, str]
) -> None:
    assert admin.post("/auth/logout", headers=headers).status_code == 403
    assert admin.get("/auth/me").status_code == 200


def test_a_page_of_the_platform_can(admin: TestClient) -> None:
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}

    assert admin.post("/auth/logout", headers=headers).status_code == 204


def test_a_user_who_exceeds_the_limit_of_requests_waits(settings: Settings, password: str) -> None:
    settings.api.rate_limit = "3/minute"
    with TestClient(create_app(settings)) as client:
        credentials = {"email": "admin@test.example", "password": password}
        client.post("/auth/login", json=credentials).raise_for_status()
        for _ in range(3):
            assert client.get("/auth/me").status_code == 200
        refused = client.get("/conversations")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 120
        assert refused.json()["detail"].startswith("Too many requests: wait ")
        assert client.post("/auth/logout").status_code == 204
        assert client.get("/health").status_code == 200


def test_a_limit_that_cannot_be_read_is_named(settings: Settings) -> None:
    settings.api.rate_limit = "fast"
    with pytest.raises(SettingsError, match="API__RATE_LIMIT: 'fast' is not a limit"):
        create_app(settings)
