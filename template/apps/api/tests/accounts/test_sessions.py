"""Signing in and out, and changing the password."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from apps.api.src.core.accounts.models import Session
from apps.api.src.core.database import Database
from apps.api.src.core.factory import create_app
from apps.api.src.core.tables import now
from shared.settings import Settings

EMAIL = "admin@test.example"
NEW = "twelve chars"


@pytest.fixture
def last_seen(settings: Settings) -> Callable[..., datetime | None]:
    """The last use of the only session, after moving it into the past by `ago` if that is given."""

    async def move(ago: timedelta | None) -> datetime | None:
        database = Database(settings)
        try:
            async with database.session.begin() as session:
                if ago:
                    await session.execute(update(Session).values(last_seen_at=now() - ago))
                return await session.scalar(select(Session.last_seen_at))
        finally:
            await database.engine.dispose()

    return lambda ago=None: asyncio.run(move(ago))


def login(client: TestClient, email: str, password: str) -> int:
    return client.post("/auth/login", json={"email": email, "password": password}).status_code


def change_password(client: TestClient, current: str, new: str) -> int:
    body = {"current_password": current, "new_password": new}
    return client.put("/auth/password", json=body).status_code


def test_login_sets_a_cookie_hidden_from_scripts_and_other_sites(
    browser: TestClient, password: str
) -> None:
    response = browser.post("/auth/login", json={"email": EMAIL, "password": password})

    assert response.json()["roles"] == ["admin"]
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_the_cookie_is_for_https_only_in_production(settings: Settings, password: str) -> None:
    production = settings.model_copy(update={"environment": "production"})
    with TestClient(create_app(production), base_url="https://testserver") as client:
        response = client.post("/auth/login", json={"email": EMAIL, "password": password})

    assert "secure" in response.headers["set-cookie"].lower()


def test_the_address_may_be_written_in_capitals(browser: TestClient, password: str) -> None:
    assert login(browser, EMAIL.upper(), password) == 200


def test_unknown_account_and_wrong_password_get_the_same_response(browser: TestClient) -> None:
    wrong = browser.post("/auth/login", json={"email": EMAIL, "password": "wrong"})
    unknown = browser.post("/auth/login", json={"email": "nobody@x", "password": "wrong"})

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_the_sixth_attempt_within_a_minute_has_to_wait(browser: TestClient, password: str) -> None:
    assert {login(browser, EMAIL, "wrong") for _ in range(5)} == {401}

    response = browser.post("/auth/login", json={"email": EMAIL, "password": password})

    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_success_starts_the_count_of_attempts_again(browser: TestClient, password: str) -> None:
    for _ in range(2):
        assert {login(browser, EMAIL, "wrong") for _ in range(4)} == {401}
        assert login(browser, EMAIL, password) == 200


def test_logout_ends_the_session_on_the_server(admin: TestClient) -> None:
    token = admin.cookies["session"]

    assert admin.post("/auth/logout").status_code == 204

    admin.cookies.set("session", token)
    assert admin.get("/auth/me").status_code == 401


def test_a_new_password_ends_all_other_sessions(
    app: FastAPI, admin: TestClient, password: str
) -> None:
    other = TestClient(app)
    assert login(other, EMAIL, password) == 200

    assert change_password(admin, password, NEW) == 204

    assert (admin.get("/auth/me").status_code, other.get("/auth/me").status_code) == (200, 401)
    assert (login(other, EMAIL, password), login(other, EMAIL, NEW)) == (401, 200)


def test_a_password_is_changed_only_with_the_current_one(admin: TestClient, password: str) -> None:
    assert change_password(admin, "wrong", NEW) == 403

    assert admin.get("/auth/me").status_code == 200
    assert login(admin, EMAIL, password) == 200


def test_a_short_password_is_refused(admin: TestClient, password: str) -> None:
    assert change_password(admin, password, NEW[:11]) == 422


def test_attempts_to_change_the_password_count_as_those_to_sign_in(
    admin: TestClient, password: str
) -> None:
    assert {change_password(admin, "wrong", NEW) for _ in range(5)} == {403}

    assert change_password(admin, password, NEW) == 429
    assert login(admin, EMAIL, password) == 429


def test_another_secret_key_ends_every_session(admin: TestClient, settings: Settings) -> None:
    token = admin.cookies["session"]
    changed = settings.model_copy(update={"secret_key": settings.service_token})

    with TestClient(create_app(changed), cookies={"session": token}) as client:
        assert client.get("/auth/me").status_code == 401


def test_a_session_that_is_not_used_ends(
    admin: TestClient, settings: Settings, last_seen: Callable[..., datetime | None]
) -> None:
    idle = timedelta(minutes=settings.api.session_idle_minutes)

    last_seen(idle - timedelta(minutes=1))
    assert admin.get("/auth/me").status_code == 200
    last_seen(idle + timedelta(minutes=1))
    assert admin.get("/auth/me").status_code == 401


def test_the_use_of_a_session_is_stored_once_a_minute(
    admin: TestClient, last_seen: Callable[..., datetime | None]
) -> None:
    earlier = last_seen(timedelta(minutes=2))
    admin.get("/auth/me").raise_for_status()
    stored = last_seen()
    assert earlier and stored and earlier < stored

    admin.get("/auth/me").raise_for_status()
    assert last_seen() == stored
