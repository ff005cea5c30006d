"""The brake on guessing passwords."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from apps.api.src.core.accounts import attempts
from apps.api.src.core.factory import create_app
from shared.settings import Api, Settings

EMAIL = "admin@test.example"
PROXY = "10.0.0.5"


def login(client: TestClient, password: str, address: str = "", email: str = EMAIL) -> int:
    """Sign in, from an address that a proxy names."""
    headers = {"X-Forwarded-For": address} if address else {}
    body = {"email": email, "password": password}
    return client.post("/auth/login", json=body, headers=headers).status_code


@pytest.fixture
def behind_proxy(settings: Settings, password: str) -> TestClient:
    """A client of a service that trusts the proxy of its requests."""
    trusting = settings.model_copy(update={"api": Api(trusted_proxies=[PROXY])})
    return TestClient(create_app(trusting), client=(PROXY, 1))


def test_guesses_at_once_from_many_addresses_are_limited(behind_proxy: TestClient) -> None:
    with behind_proxy as client, ThreadPoolExecutor(40) as pool:
        addresses = [f"203.0.113.{number}" for number in range(40)]
        statuses = pool.map(lambda address: login(client, "wrong", address), addresses)

        assert Counter(statuses) == {401: 5, 429: 35}


def test_a_header_that_anybody_can_send_names_no_address(browser: TestClient) -> None:
    with capture_logs() as logs:
        login(browser, "wrong", "203.0.113.1")

    [refused] = [entry for entry in logs if entry["event"] == "password refused"]
    assert refused["address"] == "testclient"


def test_guessing_elsewhere_does_not_keep_the_owner_out(
    behind_proxy: TestClient, password: str
) -> None:
    with behind_proxy as client:
        assert login(client, password, "198.51.100.1") == 200
        assert {login(client, "wrong", f"203.0.113.{number}") for number in range(6)} == {401, 429}

        assert login(client, password, "203.0.113.9") == 429
        assert login(client, password, "198.51.100.1") == 200


def test_a_known_address_has_a_limit_too(behind_proxy: TestClient, password: str) -> None:
    with behind_proxy as client:
        assert login(client, password, "198.51.100.1") == 200
        assert {login(client, "wrong", "198.51.100.1") for _ in range(5)} == {401}

        assert login(client, password, "198.51.100.1") == 429


def test_guessing_at_many_accounts_is_limited_by_address(
    browser: TestClient, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ADDRESS_LIMIT", 6)
    assert login(browser, password) == 200
    assert {login(browser, "wrong", email=f"{number}@test.example") for number in range(6)} == {401}

    assert login(browser, "wrong", email="7@test.example") == 429
    assert login(browser, password) == 200


def test_a_restart_forgets_no_attempt(settings: Settings, password: str) -> None:
    for expected in (401, 429):
        with TestClient(create_app(settings)) as client:
            assert {login(client, "wrong") for _ in range(5)} == {expected}


def test_what_is_typed_as_address_is_neither_logged_nor_stored(
    browser: TestClient, settings: Settings
) -> None:
    with capture_logs() as logs:
        login(browser, "wrong", email="hunter2\x1b[31m")

    assert "hunter2" not in str(logs)
    files = settings.data_dir.glob("platform.db*")
    assert not any(b"hunter2" in file.read_bytes() for file in files)
