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
from apps.api.src.core.tables import all_tables
from shared.migrations import SchemaError
from shared.settings import Settings


def test_without_migrations_every_response_says_what_to_run(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        ready, me = client.get("/ready"), client.get("/auth/me")

    assert (ready.status_code, me.status_code) == (503, 503)
    assert HISTORY.command in ready.json()["database"]["detail"]
    assert HISTORY.command in me.json()["detail"]


async def test_migrations_make_the_tables_of_the_models(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), all_tables()))

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


async def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    await migrate(settings)
    database = Database(settings)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert "newer" in (await database.problem() or "")
    with pytest.raises(SchemaError):
        await migrate(settings)
    await database.engine.dispose()
