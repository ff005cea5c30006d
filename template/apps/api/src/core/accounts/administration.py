"""What administrators do with accounts. Errors are raised as `AdminError`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import Session, User
from apps.api.src.core.accounts.passwords import hash_password, new_password, normalise_email
from apps.api.src.core.agents.service import connect, explain, on_behalf_of
from apps.api.src.core.conversations.models import Conversation
from apps.api.src.core.conversations.queries import lock_runs
from apps.api.src.core.database import Database, begin_write
from shared.database import refusal
from shared.settings import Settings


class AdminError(Exception):
    """The command cannot do its work; the message says what to do, `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


async def ensure_admin(database: Database, settings: Settings) -> dict[str, str | None]:
    """Create the administrator named in `platform.toml` if no account has the role.

    Returns the "email" of `platform.toml` and the new "password", None if no account was created.
    If that leaves the platform without an administrator, "problem" says what to do.
    """
    email, password = normalise_email(settings.customer.admin_email), new_password()
    unchanged = {"email": email, "password": None}
    try:
        async with database.session.begin() as session:
            rows = await session.execute(select(User.email, User.roles))
            accounts = {row.email: row.roles for row in rows}
            if any("admin" in roles for roles in accounts.values()):
                return unchanged
            if email in accounts:
                problem = (
                    f"There is no administrator, and the account {email} lacks the role: "
                    f"run `uv run platform admin set-roles {email} --role admin`."
                )
                return {**unchanged, "problem": problem}
            session.add(User(email=email, password_hash=hash_password(password), roles=["admin"]))
    except IntegrityError:
        # Another process was faster.
        return unchanged
    return {"email": email, "password": password}


async def list_users(database: Database) -> list[dict[str, Any]]:
    """All accounts by e-mail address; times are in UTC, as in ISO 8601.

    `last_login_at` is None for an account that was never used.
    """
    async with database.session() as session:
        users = await session.scalars(select(User).order_by(User.email))
    return [
        {
            "email": user.email,
            "roles": user.roles,
            "created_at": user.created_at.isoformat(),
            "last_login_at": user.last_login_at and user.last_login_at.isoformat(),
        }
        for user in users
    ]


async def add_user(database: Database, email: str, roles: list[str]) -> dict[str, Any]:
    """Create an account with a random password."""
    email, password = normalise_email(email), new_password()
    if "@" not in email:
        raise AdminError(f"{email} is not an e-mail address.")
    try:
        async with database.session.begin() as session:
            session.add(User(email=email, password_hash=hash_password(password), roles=roles))
    except IntegrityError as error:
        raise AdminError(
            f"{email} has an account already: `reset-password` gives it a new password."
        ) from error
    return {"email": email, "password": password}


async def set_roles(database: Database, email: str, roles: list[str]) -> dict[str, Any]:
    """Replace an account's roles, also for its open sessions."""
    async with _locked(database, email) as (session, user):
        if "admin" not in roles:
            await _keep_an_admin(session, user)
        user.roles = roles
    return {"email": user.email, "roles": roles}


async def reset_password(database: Database, email: str) -> dict[str, Any]:
    """Give an account a new password and end its sessions."""
    password = new_password()
    async with _locked(database, email) as (session, user):
        await _lock_out(session, user, password)
    return {"email": user.email, "password": password}


async def remove_user(
    database: Database, settings: Settings, email: str, *, delete_conversations: bool
) -> dict[str, Any]:
    """Remove an account and end its sessions.

    An account with conversations is refused unless `delete_conversations` is set. Then the account
    is locked first, the agents service stops its runs and deletes its threads, and the account goes
    last, so that the command can be run again after a failure in between.
    """
    async with _locked(database, email) as (session, user):
        await _keep_an_admin(session, user)
        count = await session.scalar(
            select(func.count()).where(Conversation.user_id == user.id).select_from(Conversation)
        )
        if not count:
            await session.delete(user)
            return {"email": user.email, "deleted_conversations": 0}
        if not delete_conversations:
            raise AdminError(
                f"{user.email} has conversations: {count}. Use --delete-conversations to delete "
                "them for good. To lock the account instead, reset its password and do not pass "
                "the new one on."
            )
        await _lock_out(session, user, new_password())
    try:
        await _delete_threads(settings, user)
        async with _locked(database, email) as (session, user):
            await _keep_an_admin(session, user)
            await lock_runs(session, Conversation.user_id == user.id)
            await session.delete(user)
    except (httpx.HTTPError, SQLAlchemyError) as error:
        reason = explain(error) if isinstance(error, httpx.HTTPError) else refusal(error)
        raise AdminError(
            f"{user.email} is locked, but not yet removed: correct the following, then run the "
            f"command again. {reason}",
            code=1,
        ) from error
    return {"email": user.email, "deleted_conversations": count}


@asynccontextmanager
async def _locked(database: Database, email: str) -> AsyncIterator[tuple[AsyncSession, User]]:
    """A transaction that locks all accounts, and the account with this address."""
    email = normalise_email(email)
    async with database.session.begin() as session:
        await begin_write(session)
        users = await session.scalars(select(User).order_by(User.id).with_for_update())
        user = next((user for user in users if user.email == email), None)
        if user is None:
            raise AdminError(f"There is no account with the e-mail address {email}.")
        yield session, user


async def _keep_an_admin(session: AsyncSession, user: User) -> None:
    """Raise `AdminError` if `user` is the only administrator."""
    others = await session.scalars(select(User).where(User.id != user.id))
    if "admin" in user.roles and not any("admin" in other.roles for other in others):
        raise AdminError(
            f"{user.email} is the only administrator: give another account the role admin first."
        )


async def _lock_out(session: AsyncSession, user: User, password: str) -> None:
    user.password_hash = hash_password(password)
    await session.execute(delete(Session).where(Session.user_id == user.id))


async def _delete_threads(settings: Settings, user: User) -> None:
    """Stop a user's runs and delete the threads. Raises httpx.HTTPError."""
    agents, headers = connect(settings), on_behalf_of(user)
    try:
        while threads := await agents.threads.search(
            select=["thread_id"], limit=100, headers=headers
        ):
            for thread in threads:
                with suppress(NotFoundError):
                    await agents.threads.delete(thread["thread_id"], headers=headers)
    finally:
        await agents.aclose()
