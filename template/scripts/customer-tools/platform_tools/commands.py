"""The commands of `platform`. Heavy modules are imported by the commands that need them."""

import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction

from platform_tools import update
from platform_tools.arguments import command, commands_of, group


def parser() -> ArgumentParser:
    """The parser of the `platform` command."""
    top = ArgumentParser(
        "platform", description="Develop, check and update this platform.", allow_abbrev=False
    )
    commands = commands_of(top)
    command(commands, "dev", dev).add_argument(
        "--web",
        action=BooleanOptionalAction,
        default=True,
        help="run the web service where it is enabled (the default)",
    )
    command(commands, "doctor", doctor).add_argument(
        "--json", dest="as_json", action="store_true", help="print JSON for scripts"
    )
    command(commands, "secrets", secrets)
    command(commands, "verify", verify)
    admin = group(commands, "admin", "Manage the platform's accounts.")
    command(admin, "list", list_accounts).add_argument(
        "--json", dest="as_json", action="store_true", help="print JSON for scripts"
    )
    add = command(admin, "add", add_account)
    roles = command(admin, "set-roles", set_roles)
    reset = command(admin, "reset-password", reset_password)
    remove = command(admin, "remove", remove_account)
    for one in (add, roles, reset, remove):
        one.add_argument("email", metavar="EMAIL")
    for one in (add, roles):
        one.add_argument("--role", action="append", default=[], help="a role; repeatable")
    remove.add_argument(
        "--delete-conversations",
        action="store_true",
        help="delete the account's conversations too, for good",
    )
    agent = command(
        group(commands, "new", "Create a new part of the platform."), "agent", new_agent
    )
    agent.add_argument("name", metavar="NAME", help="its name and address, e.g. order-desk")
    agent.add_argument(
        "--template",
        default="chat",
        help="a folder of apps/langgraph/templates: chat (the default), approval, supervisor…",
    )
    update.register(commands)
    return top


def dev(*, web: bool) -> None:
    """Run the API, the agents service and the web with hot reload, until Ctrl-C."""
    from platform_tools.dev.command import run

    run(web=web)


def doctor(*, as_json: bool) -> int:
    """Say what is missing, taken or wrong, and how to mend it. Exit code 1 if anything fails."""
    from platform_tools.doctor import run

    return run(as_json=as_json)


def secrets() -> None:
    """Create .env and generate the secrets that are missing in it. Values that are set stay."""
    from platform_tools.project import settings_folder
    from platform_tools.secrets import ensure

    print(", ".join(ensure(settings_folder())) or "Nothing to do: .env is complete.")


def verify() -> int:
    """Check format, lint, types, tests and compose files. Exit code 1 if anything fails."""
    from platform_tools.verify import show

    return show()


def list_accounts(*, as_json: bool) -> None:
    """Show all accounts: roles, and when each was made and last signed in."""
    _admin("list", *(["--json"] if as_json else []))


def add_account(email: str, role: list[str]) -> None:
    """Create an account for EMAIL and show its password once."""
    _admin("add", email, *_roles(role))


def set_roles(email: str, role: list[str]) -> None:
    """Replace the roles of the account EMAIL, at once. Without --role it has none."""
    _admin("set-roles", email, *_roles(role))


def reset_password(email: str) -> None:
    """Give the account EMAIL a new password, show it once, and end the account's sessions."""
    _admin("reset-password", email)


def remove_account(email: str, *, delete_conversations: bool) -> None:
    """Remove the account EMAIL and end its sessions. One that has conversations is refused."""
    _admin("remove", email, *(["--delete-conversations"] if delete_conversations else []))


def _roles(roles: list[str]) -> list[str]:
    return [f"--role={role}" for role in roles]


def _admin(*arguments: str) -> None:
    from platform_tools.project import ROOT

    os.chdir(ROOT)
    command = (sys.executable, "-m", "apps.api.src.core.admin", *arguments)
    os.execv(sys.executable, command)  # noqa: S606


def new_agent(name: str, template: str) -> None:
    """Create an agent that answers, with its tests. A running `platform dev` serves it at once."""
    from platform_tools.new_agent import create_and_tell

    create_and_tell(name, template)
