"""Accounts from the command line: `python -m apps.api.src.core.admin ensure` and others.

Passwords are printed once, as JSON, and stored nowhere in clear. Exit code 1 says that nothing was
changed, and standard error why.
"""

import argparse
import asyncio
import json
import sys

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from apps.api.src.core.database import Database
from apps.api.src.core.models import Session, User
from apps.api.src.core.security import hash_password, new_password, normalise_email
from shared.settings import Settings, SettingsError, get_settings


class AdminError(Exception):
    """The command cannot do its work; the message says what to do."""


async def ensure_admin(database: Database, settings: Settings) -> dict[str, str | None]:
    """Create the first administrator if there is no user.

    Returns the e-mail address of `platform.toml` and the new password, None if there was a user.
    """
    email, password = normalise_email(settings.customer.admin_email), new_password()
    try:
        async with database.session.begin() as session:
            if await session.scalar(select(func.count()).select_from(User)):
                return {"email": email, "password": None}
            session.add(User(email=email, password_hash=hash_password(password), roles=["admin"]))
    except IntegrityError:
        # Another process was faster.
        return {"email": email, "password": None}
    return {"email": email, "password": password}


async def add_user(database: Database, email: str, roles: list[str]) -> dict[str, str | None]:
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


async def reset_password(database: Database, email: str) -> dict[str, str | None]:
    """Give an account a new password and end its sessions. Raises `AdminError`."""
    email, password = normalise_email(email), new_password()
    async with database.session.begin() as session:
        user = await session.scalar(select(User).where(User.email == email))
        if user is None:
            raise AdminError(f"There is no account with the e-mail address {email}.")
        user.password_hash = hash_password(password)
        await session.execute(delete(Session).where(Session.user_id == user.id))
    return {"email": email, "password": password}


async def run(arguments: argparse.Namespace, settings: Settings) -> dict[str, str | None]:
    """Run the command of `arguments`. Raises `AdminError`."""
    database = Database(settings)
    try:
        if detail := await database.problem():
            raise AdminError(detail)
        if arguments.command == "ensure":
            return await ensure_admin(database, settings)
        if arguments.command == "add":
            return await add_user(database, arguments.email, arguments.role)
        return await reset_password(database, arguments.email)
    finally:
        await database.engine.dispose()


def main() -> None:
    """Parse the command line, run the command and print its result."""
    parser = argparse.ArgumentParser(prog="python -m apps.api.src.core.admin")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ensure", help="create the first administrator if there is no user")
    add = commands.add_parser("add", help="create an account")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--role", action="append", default=[], help="may be repeated")
    reset = commands.add_parser("reset-password", help="give an account a new password")
    reset.add_argument("email", metavar="EMAIL")
    arguments = parser.parse_args()
    try:
        print(json.dumps(asyncio.run(run(arguments, get_settings()))))
    except (AdminError, SettingsError) as error:
        sys.exit(str(error))
    except SQLAlchemyError as error:
        sys.exit(f"Nothing was changed: {getattr(error, 'orig', None) or error}")


if __name__ == "__main__":
    main()
