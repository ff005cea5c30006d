"""Migrations, and what the service says about the database's schema."""

import asyncio
from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from apps.api.src.core.database import Database
from apps.api.src.core.factory import create_app
from apps.api.src.core.migrate import migrate
from apps.api.src.core.migrations import HISTORY
from apps.api.src.core.tables import Base, all_tables
from shared.migrations import SchemaError
from shared.settings import Settings


def test_without_migrations_every_response_says_what_to_run(settings: Settings) -> None:
    token = {"Authorization": f"Bearer {settings.service_token.get_secret_value()}"}
    with TestClient(create_app(settings)) as client:
        ready, me = client.get("/ready", headers=token), client.get("/auth/me")

    assert (ready.status_code, me.status_code) == (503, 503)
    assert HISTORY.command in ready.json()["database"]["detail"]
    assert HISTORY.command in me.json()["detail"]


async def test_migrations_make_the_tables_of_the_models(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)

    def differences(connection: Connection) -> list[object]:
        # Your tables are in the same metadata, once something imports them.
        yours = {
            mapper.local_table
            for mapper in Base.registry.mappers
            if not mapper.class_.__module__.startswith("apps.api.src.core.")
        }
        options = {"include_object": lambda item, *_: item not in yours}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, all_tables()))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.engine.dispose()


async def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    before, after = await migrate(settings)

    assert before is None
    assert await migrate(settings) == (after, after)


async def test_concurrent_migrations_wait_for_one_another(settings: Settings) -> None:
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


async def test_what_agents_raised_before_is_hidden_from_users(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
    await migrate(settings)
    database = Database(settings)
    values = "(1, :conversation, 'error', 0, 'r1', '{}', 'no: token=abc', '2026-01-01')"
    columns = "(id, conversation_id, status, cancelled, agent_run_id, input, error, created_at)"
    user = "('00', 'a@test.example', 'x', '[]', '2026-01-01')"
    async with database.engine.begin() as connection:
        await connection.execute(
            text(f"INSERT INTO users (id, email, password_hash, roles, created_at) VALUES {user}")
        )
        await connection.execute(
            text(
                "INSERT INTO conversations (id, user_id, agent, title, created_at, updated_at) "
                "VALUES ('01', '00', 'any', '', '2026-01-01', '2026-01-01')"
            )
        )
        await connection.execute(
            text(f"INSERT INTO runs {columns} VALUES {values}"), {"conversation": "01"}
        )
    monkeypatch.setattr(command, "upgrade", upgrade)
    await migrate(settings)

    async with database.engine.connect() as connection:
        [(error, reason)] = await connection.execute(text("SELECT error, error_reason FROM runs"))
    assert "reference number 1" in error
    assert "token" not in error
    assert reason == "no: token=[redacted]"
    await database.engine.dispose()


async def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert "newer" in (await database.problem() or "")
    with pytest.raises(SchemaError):
        await migrate(settings)
    await database.engine.dispose()
