"""Accounts from the command line."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from apps.api.src.core.accounts.admin import run
from apps.api.src.core.accounts.administration import (
    AdminError,
    add_user,
    ensure_admin,
    list_users,
    remove_user,
    reset_password,
    set_roles,
)
from apps.api.src.core.conversations.models import Message
from apps.api.src.core.database import Database
from apps.api.src.core.migrate import migrate
from apps.api.tests.support.agents_service import AgentsService
from shared.settings import Settings

ADMIN = "admin@test.example"
ANNA = "anna@test.example"


@pytest.fixture
async def empty(settings: Settings) -> AsyncIterator[Database]:
    """The migrated database without accounts."""
    await migrate(settings)
    database = Database(settings)
    yield database
    await database.engine.dispose()


@pytest.fixture
async def database(settings: Settings, password: str) -> AsyncIterator[Database]:
    """The prepared database, for the commands."""
    database = Database(settings)
    yield database
    await database.engine.dispose()


@pytest.fixture
async def anna(database: Database, browser: TestClient) -> TestClient:
    """A browser, signed in as a user who is not an administrator."""
    account = await add_user(database, ANNA, ["sales"])
    browser.post("/auth/login", json=account).raise_for_status()
    return browser


async def accounts(database: Database) -> dict[str, list[str]]:
    """The roles of every account."""
    return {user["email"]: user["roles"] for user in await list_users(database)}


def threads(service: AgentsService, user_id: str) -> list[Any]:
    """A user's threads in the agents service."""
    response = httpx.post(
        f"http://127.0.0.1:{service.port}/threads/search",
        json={},
        headers={"X-Api-Key": service.token, "X-Platform-User": user_id},
    )
    found: list[Any] = response.raise_for_status().json()
    return found


async def test_before_the_first_start_nothing_is_created(settings: Settings) -> None:
    with pytest.raises(AdminError, match="`uv run platform dev` makes it"):
        await run(Namespace(command="list"), settings)

    assert not settings.data_dir.exists()


async def test_concurrent_jobs_create_one_administrator(
    empty: Database, settings: Settings
) -> None:
    await add_user(empty, ANNA, ["sales"])

    made = await asyncio.gather(*(ensure_admin(empty, settings) for _ in range(3)))

    assert sum(one["password"] is not None for one in made) == 1
    assert await accounts(empty) == {ADMIN: ["admin"], ANNA: ["sales"]}


async def test_a_taken_address_gets_the_role_by_hand(empty: Database, settings: Settings) -> None:
    await add_user(empty, ADMIN, [])

    ensured = await ensure_admin(empty, settings)

    assert f"set-roles {ADMIN} --role admin" in (ensured["problem"] or "")
    assert await accounts(empty) == {ADMIN: []}


@pytest.mark.usefixtures("anna")
async def test_the_list_has_the_last_sign_in(database: Database) -> None:
    never, anna = await list_users(database)

    assert (never["email"], never["last_login_at"]) == (ADMIN, None)
    assert anna["last_login_at"] > anna["created_at"]


async def test_new_roles_hold_for_open_sessions(database: Database, anna: TestClient) -> None:
    await set_roles(database, ANNA.upper(), ["support", "admin"])

    assert anna.get("/auth/me").json()["roles"] == ["support", "admin"]


@pytest.mark.usefixtures("anna")
async def test_the_last_administrator_stays(database: Database, settings: Settings) -> None:
    with pytest.raises(AdminError, match="only administrator"):
        await set_roles(database, ADMIN, ["sales"])
    with pytest.raises(AdminError, match="only administrator"):
        await remove_user(database, settings, ADMIN, delete_conversations=True)

    assert await accounts(database) == {ADMIN: ["admin"], ANNA: ["sales"]}


async def test_a_removed_account_is_signed_out(
    database: Database, settings: Settings, anna: TestClient
) -> None:
    await remove_user(database, settings, ANNA, delete_conversations=False)

    assert anna.get("/auth/me").status_code == 401
    assert await accounts(database) == {ADMIN: ["admin"]}


async def test_an_account_is_not_removed_with_its_conversations_by_surprise(
    database: Database, settings: Settings, anna: TestClient, add_conversation: Callable[..., str]
) -> None:
    conversation = f"/conversations/{await asyncio.to_thread(add_conversation, ANNA)}"

    with pytest.raises(AdminError, match="conversations: 1"):
        await remove_user(database, settings, ANNA, delete_conversations=False)

    assert anna.get(conversation).status_code == 200


async def test_a_removed_account_leaves_nothing_behind(
    database: Database, settings: Settings, agents_service: AgentsService, anna: TestClient
) -> None:
    user_id = anna.get("/auth/me").json()["id"]
    conversation = anna.post("/conversations", json={"agent": "test-agent"}).json()["id"]
    anna.post(f"/conversations/{conversation}/messages", json={"prompt": "say a secret"})
    assert len(threads(agents_service, user_id)) == 1

    removed = await remove_user(database, settings, ANNA, delete_conversations=True)

    assert removed == {"email": ANNA, "deleted_conversations": 1}
    assert await accounts(database) == {ADMIN: ["admin"]}
    assert threads(agents_service, user_id) == []
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 0


async def test_without_the_agents_service_the_account_is_only_locked(
    database: Database, settings: Settings, anna: TestClient, add_conversation: Callable[..., str]
) -> None:
    await asyncio.to_thread(add_conversation, ANNA)

    with pytest.raises(AdminError, match="The agents service cannot be reached"):
        await remove_user(database, settings, ANNA, delete_conversations=True)

    assert anna.get("/auth/me").status_code == 401
    assert ANNA in await accounts(database)


async def test_the_first_administrator_is_created_once(empty: Database, settings: Settings) -> None:
    first = await ensure_admin(empty, settings)
    second = await ensure_admin(empty, settings)

    assert first["password"]
    assert second == {"email": ADMIN, "password": None}


async def test_a_new_account_can_sign_in_with_its_roles(
    database: Database, browser: TestClient
) -> None:
    account = await add_user(database, ANNA.capitalize(), ["sales"])

    assert browser.post("/auth/login", json=account).json()["roles"] == ["sales"]
    with pytest.raises(AdminError, match="has an account"):
        await add_user(database, ANNA, ["sales"])


async def test_a_new_password_ends_the_sessions_of_the_old_one(
    database: Database, admin: TestClient
) -> None:
    account = await reset_password(database, ADMIN.capitalize())

    assert admin.get("/auth/me").status_code == 401
    assert admin.post("/auth/login", json=account).status_code == 200


async def test_the_password_of_an_unknown_account_cannot_be_reset(empty: Database) -> None:
    with pytest.raises(AdminError, match="nobody@x"):
        await reset_password(empty, "nobody@x")
