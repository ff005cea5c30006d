"""Metrics and the OpenAPI document are for holders of the service token."""

import pytest
from fastapi.testclient import TestClient

from shared.settings import Settings


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json"])
@pytest.mark.parametrize("credentials", ["", "Bearer wrong", "Basic eDp5"])
def test_operators_send_the_service_token(
    admin: TestClient, settings: Settings, path: str, credentials: str
) -> None:
    token = settings.service_token.get_secret_value()

    assert admin.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    refused = admin.get(path, headers={"Authorization": credentials})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_there_are_no_pages_with_scripts_of_other_servers(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 404
