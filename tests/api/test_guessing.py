"""Guessing passwords: the limits of several replicas, and what guesses cost others."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.api.services import Services
from tests.support.ports import free_ports

# A new client takes longer than a guess.
BROWSER = httpx2.Client(timeout=120)
ADMIN = "apps.api.src.core.accounts.admin"


@pytest.fixture
def account(services: Services, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The e-mail address and password of an account for one test."""
    email = f"{request.node.originalname}@acme.example"
    yield json.loads(services.run(ADMIN, "add", email))
    services.run(ADMIN, "remove", email)


def sign_in(address: str, email: str, password: str, client: str = "") -> int:
    """The status of an attempt that claims to come from the address `client`."""
    headers = {"X-Forwarded-For": client} if client else {}
    body = {"email": email, "password": password}
    return httpx2.post(f"{address}/auth/login", json=body, headers=headers, timeout=120).status_code


def test_replicas_count_guesses_together(services: Services, account: dict[str, str]) -> None:
    [port] = free_ports(1)
    services.start_api("other", port)
    replicas = services.address, f"http://127.0.0.1:{port}"
    try:
        with ThreadPoolExecutor(40) as pool:
            statuses = pool.map(
                lambda n: sign_in(replicas[n % 2], account["email"], "wrong", f"203.0.113.{n}"),
                range(40),
            )
            assert Counter(statuses) == {401: 5, 429: 35}
    finally:
        services.kill("other")


def test_guesses_elsewhere_leave_a_colleague_alone(
    services: Services, account: dict[str, str]
) -> None:
    for number in range(29):
        assert sign_in(services.address, f"{number}@acme.example", "wrong") == 401

    assert sign_in(services.address, account["email"], account["password"]) == 200


@pytest.mark.long
def test_many_guesses_at_once_leave_a_sign_in_quick(
    services: Services, account: dict[str, str]
) -> None:
    def timed_sign_in() -> float:
        started = time.monotonic()
        assert sign_in(services.address, account["email"], account["password"]) == 200
        return time.monotonic() - started

    idle = max(timed_sign_in() for _ in range(3))
    with ThreadPoolExecutor(60) as pool:
        guesses = [
            pool.submit(sign_in, services.address, f"{number}@acme.example", "wrong")
            for number in range(60)
        ]
        time.sleep(idle)
        assert timed_sign_in() < 3 * idle
        assert {guess.result() for guess in guesses} == {401}
