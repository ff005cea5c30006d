"""Health and readiness."""

from fastapi.testclient import TestClient

from shared.settings import Settings


def test_a_living_service_without_the_agents_service_is_not_ready(
    browser: TestClient, settings: Settings
) -> None:
    token = settings.service_token.get_secret_value()
    assert browser.get("/health").status_code == 200

    response = browser.get("/ready", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 503
    assert response.json()["database"]["ok"]
    assert not response.json()["agents"]["ok"]
    assert "cannot be reached" in response.json()["agents"]["detail"]


def test_details_are_for_holders_of_the_service_token(browser: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        response = browser.get("/ready", headers=headers)
        assert response.status_code == 503
        assert response.json() == {"ready": False, "database": None, "agents": None}
