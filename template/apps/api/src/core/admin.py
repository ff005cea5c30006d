"""Accounts from the command line: `python -m apps.api.src.core.admin list` and others.

What a command did is printed as JSON. A password is printed once, and stored nowhere in clear. Exit
code 2 says that the input or the state of the platform does not allow the command, 1 that it has
failed, and standard error why.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import httpx
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.agents_service import connect, explain, on_behalf_of
from apps.api.src.core.database import Database
from apps.api.src.core.models import Conversation, Run, Session, User
from apps.api.src.core.security import hash_password, new_password, normalise_email
from shared.database import refusal
from shared.settings import Settings, SettingsError, get_settings


class AdminError(Exception):
    """The command cannot do its work; the message says what to do, `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


async def ensure_admin(database: Database, settings: Settings) -> dict[str, str | None]:
    """Create the administrator of `platform.toml` if no account has the role.

    Returns the "email" of `platform.toml` and the new "password", None if no account was made;
    "problem" is there, and says what to do, if that leaves the platform without an administrator.
    """
    email, password = normalise_email(settings.customer.admin_email), new_password()
    try:
        async with database.session.begin() as session:
            rows = await session.execute(select(User.email, User.roles))
            accounts = {row.email: row.roles for row in rows}
            if any("admin" in roles for roles in accounts.values()):
                return {"email": email, "password": None}
            if email in accounts:
                problem = (
                    f"Nobody is an administrator, and {email} has an account without the role: "
                    f"run `uv run platform admin set-roles {email} --role admin`."
                )
                return {"email": email, "password": None, "problem": problem}
            session.add(User(email=email, password_hash=hash_password(password), roles=["admin"]))
    except IntegrityError:
        # Another process was faster.
        return {"email": email, "password": None}
    return {"email": email, "password": password}


async def list_users(database: Database) -> list[dict[str, Any]]:
    """All accounts by e-mail address; the moments are in UTC, in the form of ISO 8601.

    `last_login_at` is None where nobody has signed in since the database keeps it (0.2.0).
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
    """Create an account with a password of its own. Raises `AdminError`."""
    email, password = normalise_email(email), new_password()
    if "@" not in email:
        raise AdminError(f"{email} is not an e-mail address.")
    try:
        async with database.session.begin() as session:
            session.add(User(email=email, password_hash=hash_password(password), roles=roles))
    except IntegrityError as error:
        raise AdminError(
            f"{email} has an account; `reset-password` renews its password."
        ) from error
    return {"email": email, "password": password}


async def set_roles(database: Database, email: str, roles: list[str]) -> dict[str, Any]:
    """Replace an account's roles, for its open sessions too. Raises `AdminError`."""
    async with _locked(database, email) as (session, user):
        if "admin" not in roles:
            await _keep_an_admin(session, user)
        user.roles = roles
    return {"email": user.email, "roles": roles}


async def reset_password(database: Database, email: str) -> dict[str, Any]:
    """Give an account a new password and end its sessions. Raises `AdminError`."""
    password = new_password()
    async with _locked(database, email) as (session, user):
        await _lock_out(session, user, password)
    return {"email": user.email, "password": password}


async def remove_user(
    database: Database, settings: Settings, email: str, *, delete_conversations: bool
) -> dict[str, Any]:
    """Remove an account and end its sessions.

    One that has conversations is refused unless these may be deleted. Then nobody can sign in any
    more before the agents service deletes its part and stops what runs, and the account goes last,
    so that a failure in between leaves something to run the command on again. Raises `AdminError`.
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
                f"{user.email} has conversations: {count}. Say --delete-conversations to delete "
                "them for good, or only lock the account: `reset-password`, and tell nobody."
            )
        await _lock_out(session, user, new_password())
    try:
        await _delete_threads(settings, user)
        async with _locked(database, email) as (session, user):
            await _keep_an_admin(session, user)
            # In the order in which an end is stored, a run before its conversation: no deadlock.
            theirs = select(Conversation.id).where(Conversation.user_id == user.id)
            runs = select(Run.id).where(Run.conversation_id.in_(theirs)).order_by(Run.id)
            await session.execute(runs.with_for_update())
            await session.delete(user)
    except (httpx.HTTPError, SQLAlchemyError) as error:
        reason = explain(error) if isinstance(error, httpx.HTTPError) else refusal(error)
        raise AdminError(
            f"{user.email} is locked, but not removed with all that belongs to it: mend what "
            f"follows, then run the command again. {reason}",
            code=1,
        ) from error
    return {"email": user.email, "deleted_conversations": count}


async def run(arguments: argparse.Namespace, settings: Settings) -> Any:
    """Run the command of `arguments`; return what to print as JSON. Raises `AdminError`."""
    database = Database(settings)
    try:
        if detail := await database.problem():
            raise AdminError(detail)
        match arguments.command:
            case "ensure":
                return await ensure_admin(database, settings)
            case "list":
                return await list_users(database)
            case "add":
                return await add_user(database, arguments.email, arguments.role)
            case "set-roles":
                return await set_roles(database, arguments.email, arguments.role)
            case "reset-password":
                return await reset_password(database, arguments.email)
            case "remove":
                return await remove_user(
                    database,
                    settings,
                    arguments.email,
                    delete_conversations=arguments.delete_conversations,
                )
    finally:
        await database.engine.dispose()


def main() -> None:
    """Parse the command line, run the command and print its result."""
    arguments = _parser().parse_args()
    try:
        result = asyncio.run(run(arguments, get_settings()))
    except (AdminError, SettingsError) as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.code if isinstance(error, AdminError) else 2)
    except (SQLAlchemyError, OSError) as error:
        sys.exit(f"Error: Nothing was changed. {refusal(error)}")
    if arguments.command == "list" and not arguments.as_json:
        print(_table(result))
    else:
        print(json.dumps(result))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m apps.api.src.core.admin")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ensure", help="create the administrator if there is none")
    show = commands.add_parser("list", help="show all accounts")
    show.add_argument("--json", dest="as_json", action="store_true")
    add = commands.add_parser("add", help="create an account")
    roles = commands.add_parser("set-roles", help="replace an account's roles")
    reset = commands.add_parser("reset-password", help="give an account a new password")
    remove = commands.add_parser("remove", help="remove an account")
    for command in (add, roles, reset, remove):
        command.add_argument("email", metavar="EMAIL")
    for command in (add, roles):
        command.add_argument("--role", action="append", default=[], help="may be repeated")
    remove.add_argument("--delete-conversations", action="store_true")
    return parser


@asynccontextmanager
async def _locked(database: Database, email: str) -> AsyncIterator[tuple[AsyncSession, User]]:
    """A transaction in which nobody else changes an account, and the account with this address."""
    email = normalise_email(email)
    async with database.session.begin() as session:
        if database.engine.dialect.name == "sqlite":
            # The driver begins no transaction for SELECT by itself.
            await (await session.connection()).exec_driver_sql("BEGIN IMMEDIATE")
        users = await session.scalars(select(User).order_by(User.id).with_for_update())
        user = next((user for user in users if user.email == email), None)
        if user is None:
            raise AdminError(f"There is no account with the e-mail address {email}.")
        yield session, user


async def _keep_an_admin(session: AsyncSession, user: User) -> None:
    """Refuse to go on without `user` if no other account is an administrator's."""
    others = await session.scalars(select(User).where(User.id != user.id))
    if "admin" in user.roles and not any("admin" in other.roles for other in others):
        raise AdminError(
            f"{user.email} is the only administrator: give another account the role admin first."
        )


async def _lock_out(session: AsyncSession, user: User, password: str) -> None:
    user.password_hash = hash_password(password)
    await session.execute(delete(Session).where(Session.user_id == user.id))


async def _delete_threads(settings: Settings, user: User) -> None:
    """Delete what the agents service has of a user and stop what runs. Raises httpx.HTTPError."""
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


def _table(users: list[dict[str, Any]]) -> str:
    """The accounts as lines of text, in columns; moments to the minute."""
    rows = [("E-MAIL", "ROLES", "CREATED (UTC)", "LAST SIGN-IN (UTC)")]
    for user in users:
        created, last = (
            datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M") if moment else "-"
            for moment in (user["created_at"], user["last_login_at"])
        )
        rows.append((user["email"], ", ".join(user["roles"]) or "-", created, last))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    main()
