"""Problem documents, the size limit, and requests from other sites."""

import pytest
from fastapi.testclient import TestClient

from apps.api.src.core.platform.limits import MAX_BODY


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
