"""`platform admin`: accounts from the command line.

Results are printed as JSON. A password is printed once and is not stored in clear. Exit code 2: the
input or the state of the platform does not allow the command; 1: the command failed. Standard error
says why.
"""

import argparse
import asyncio
import json
import sys
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from apps.api.src.core.accounts import administration as accounts
from apps.api.src.core.accounts.administration import AdminError
from apps.api.src.core.database import Database
from shared.database import refusal
from shared.settings import Settings, SettingsError, get_settings


async def run(arguments: argparse.Namespace, settings: Settings) -> Any:
    """Run the command of `arguments`; return what to print as JSON. Raises `AdminError`."""
    database, email = Database(settings), getattr(arguments, "email", "")
    try:
        if detail := await database.problem():
            raise AdminError(detail)
        match arguments.command:
            case "ensure":
                return await accounts.ensure_admin(database, settings)
            case "list":
                return await accounts.list_users(database)
            case "add":
                return await accounts.add_user(database, email, arguments.role)
            case "set-roles":
                return await accounts.set_roles(database, email, arguments.role)
            case "reset-password":
                return await accounts.reset_password(database, email)
            case "remove":
                delete = arguments.delete_conversations
                return await accounts.remove_user(
                    database, settings, email, delete_conversations=delete
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
    parser = argparse.ArgumentParser("platform admin", description="Manage accounts.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add_command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    add_command("ensure", "Create the administrator of platform.toml if there is none.")
    show = add_command("list", "Show all accounts with roles, creation date and last sign-in.")
    show.add_argument("--json", dest="as_json", action="store_true", help="print JSON for scripts")
    add = add_command("add", "Create an account and show its password once.")
    roles = add_command(
        "set-roles", "Replace an account's roles. Without --role it loses all roles."
    )
    reset = add_command("reset-password", "Show a new password once and end all sessions.")
    remove = add_command("remove", "Remove an account. Refused if it has conversations.")
    for command in (add, roles, reset, remove):
        command.add_argument("email", metavar="EMAIL")
    for command in (add, roles):
        command.add_argument("--role", action="append", default=[], help="a role; repeatable")
    remove.add_argument(
        "--delete-conversations",
        action="store_true",
        help="delete the account's conversations too, for good",
    )
    return parser


def _table(users: list[dict[str, Any]]) -> str:
    """The accounts as a text table; times to the minute."""
    rows = [("E-MAIL", "ROLES", "CREATED (UTC)", "LAST SIGN-IN (UTC)")]
    for user in users:
        created, last = (
            datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M") if time else "-"
            for time in (user["created_at"], user["last_login_at"])
        )
        rows.append((user["email"], ", ".join(user["roles"]) or "-", created, last))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    main()
