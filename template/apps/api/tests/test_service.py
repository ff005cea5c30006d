"""Health, readiness, migrations, accounts from the command line, and the document."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Connection, text

from apps.api.src.core import customization
from apps.api.src.core.admin import AdminError, add_user, ensure_admin, reset_password
from apps.api.src.core.body_limit import MAX_BODY
from apps.api.src.core.database import Database
from apps.api.src.core.factory import create_app
from apps.api.src.core.migrate import migrate
from apps.api.src.core.migrations import HISTORY
from apps.api.src.core.models import Base
from shared.migrations import SchemaError
from shared.secrets_check import check_secrets
from shared.settings import Settings, SettingsError


def test_a_living_service_that_misses_the_agents_is_not_ready(browser: TestClient) -> None:
    assert browser.get("/health").status_code == 200

    answer = browser.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["database"]["ok"]
    assert not answer.json()["agents"]["ok"]


def test_without_migrations_every_answer_says_what_to_run(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        ready, me = client.get("/ready"), client.get("/auth/me")

    assert (ready.status_code, me.status_code) == (503, 503)
    assert HISTORY.command in ready.json()["database"]["detail"]
    assert HISTORY.command in me.json()["detail"]


async def test_migrations_make_the_tables_of_the_models(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.engine.dispose()


async def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    before, after = await migrate(settings)

    assert before is None
    assert await migrate(settings) == (after, after)


async def test_migrations_that_run_at_once_wait_for_one_another(settings: Settings) -> None:
    results = await asyncio.gather(*(migrate(settings) for _ in range(3)))

    assert sorted(before or "" for before, _ in results) == ["", results[0][1], results[0][1]]


async def test_a_table_that_a_migration_replaces_keeps_what_refers_to_it(
    settings: Settings, add_conversation: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(config: Config, revision: str) -> None:
        context = MigrationContext.configure(config.attributes["connection"])
        with Operations(context).batch_alter_table("users", recreate="always"):
            pass

    await migrate(settings)
    await asyncio.to_thread(add_conversation)
    monkeypatch.setattr(command, "upgrade", replace)
    await migrate(settings)

    database = Database(settings)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM conversations")) == 1
    await database.engine.dispose()


async def test_the_first_administrator_is_created_once(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)

    first = await ensure_admin(database, settings)
    second = await ensure_admin(database, settings)

    assert first["password"]
    assert second == {"email": "admin@test.example", "password": None}
    await database.engine.dispose()


def test_a_colleague_gets_an_account_with_roles(browser: TestClient, settings: Settings) -> None:
    async def add() -> dict[str, str | None]:
        database = Database(settings)
        try:
            return await add_user(database, "Anna@test.example", ["sales"])
        finally:
            await database.engine.dispose()

    credentials = asyncio.run(add())

    assert browser.post("/auth/login", json=credentials).json()["roles"] == ["sales"]
    with pytest.raises(AdminError, match="has an account"):
        asyncio.run(add())


def test_a_new_password_ends_the_sessions_of_the_old_one(
    admin: TestClient, settings: Settings
) -> None:
    async def reset() -> dict[str, str | None]:
        database = Database(settings)
        try:
            return await reset_password(database, "Admin@test.example")
        finally:
            await database.engine.dispose()

    credentials = asyncio.run(reset())

    assert admin.get("/auth/me").status_code == 401
    assert admin.post("/auth/login", json=credentials).status_code == 200


async def test_a_password_of_nobody_cannot_be_reset(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)
    with pytest.raises(AdminError, match="nobody@x"):
        await reset_password(database, "nobody@x")
    await database.engine.dispose()


@pytest.mark.parametrize("secret", ["change-me-" * 4, "0" * 64, "your-secret-key-with-32-letters!"])
def test_production_refuses_placeholders(settings: Settings, secret: str) -> None:
    settings = settings.model_copy(
        update={"environment": "production", "service_token": SecretStr(secret)}
    )
    with pytest.raises(SettingsError, match="SERVICE_TOKEN"):
        check_secrets(settings)


def test_production_accepts_generated_secrets(settings: Settings) -> None:
    check_secrets(settings.model_copy(update={"environment": "production"}))


def test_production_refuses_one_secret_for_two_purposes(settings: Settings) -> None:
    same = SecretStr(secrets.token_hex(32))
    settings = settings.model_copy(
        update={"environment": "production", "secret_key": same, "service_token": same}
    )
    with pytest.raises(SettingsError, match="same"):
        check_secrets(settings)


def test_measurements_are_not_given_to_a_proxy(browser: TestClient) -> None:
    assert browser.get("/metrics").status_code == 200
    assert browser.get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 404


def test_a_stop_in_the_middle_of_the_start_ends(app: FastAPI) -> None:
    def start_and_stop() -> None:
        for _ in range(20):
            with TestClient(app):
                pass

    thread = Thread(target=start_and_stop, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_errors_are_problem_documents_with_the_request_id(browser: TestClient) -> None:
    answer = browser.get("/auth/me", headers={"X-Request-ID": "0123456789abcdef0123456789abcdef"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_request_that_would_fill_the_memory_is_refused(browser: TestClient) -> None:
    answer = browser.post("/auth/login", content=b"x" * (MAX_BODY + 1))

    assert answer.status_code == 413


def test_operations_have_short_names_of_their_own(app: FastAPI) -> None:
    names = Counter(
        operation["operationId"]
        for operations in app.openapi()["paths"].values()
        for operation in operations.values()
    )

    assert set(names.values()) == {1}
    assert all(name.isidentifier() and len(name) < 30 for name in names)


def test_routes_of_the_customer_are_served_under_custom(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "custom_of_a_test"
    folder.mkdir()
    (folder / "hello.py").write_text(
        "from fastapi import APIRouter\n"
        "router = APIRouter()\n"
        "@router.get('/hello')\n"
        "def hello() -> str:\n"
        "    return 'from the customer'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(customization, "FOLDER", folder)
    monkeypatch.setattr(customization, "PACKAGE", folder.name)

    with TestClient(create_app(settings)) as client:
        assert client.get("/custom/hello").json() == "from the customer"


async def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert "newer" in (await database.problem() or "")
    with pytest.raises(SchemaError):
        await migrate(settings)
    await database.engine.dispose()
