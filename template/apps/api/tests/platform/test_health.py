"""Health and readiness."""

from fastapi.testclient import TestClient


def test_a_living_service_without_the_agents_service_is_not_ready(browser: TestClient) -> None:
    assert browser.get("/health").status_code == 200

    response = browser.get("/ready")

    assert response.status_code == 503
    assert response.json()["database"]["ok"]
    assert not response.json()["agents"]["ok"]
