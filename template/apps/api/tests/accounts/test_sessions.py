"""Signing in and out, and changing the password."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from apps.api.src.core.factory import create_app
from shared.settings import Settings

EMAIL = "admin@test.example"
NEW = "twelve chars"


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
