"""Health, readiness and metrics."""

from fastapi.testclient import TestClient


def test_a_living_service_without_the_agents_service_is_not_ready(browser: TestClient) -> None:
    assert browser.get("/health").status_code == 200

    response = browser.get("/ready")

    assert response.status_code == 503
    assert response.json()["database"]["ok"]
    assert not response.json()["agents"]["ok"]


def test_metrics_are_not_served_through_a_proxy(browser: TestClient) -> None:
    assert browser.get("/metrics").status_code == 200
    assert browser.get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 404
