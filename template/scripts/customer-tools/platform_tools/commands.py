"""The commands of `platform`. Each imports the modules that it needs, for a quick start."""

import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path

from platform_tools import update
from platform_tools.arguments import commands_of
from platform_tools.update import command


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
    commands.choices["dev"].add_argument(
        "--only", choices=("api", "langgraph", "web"), help="run this service alone"
    )
    command(commands, "doctor", doctor).add_argument(
        "--json", dest="as_json", action="store_true", help="print JSON for scripts"
    )
    command(commands, "secrets", secrets).add_argument(
        "--production", action="store_true", help="create and complete .env.production instead"
    )
    command(commands, "verify", verify).add_argument(
        "--all",
        dest="everything",
        action="store_true",
        help="also run the framework's tests where its files are as they were delivered",
    )
    commands.choices["verify"].add_argument(
        "--images",
        action="store_true",
        help="also build the production images, which needs Docker and .env.production",
    )
    command(commands, "scan", scan).add_argument(
        "--sbom",
        type=Path,
        default=Path("data/sbom.cdx.json"),
        help="where to write the list of packages (CycloneDX)",
    )
    command(commands, "admin", admin, add_help=False)
    new = commands_of(command(commands, "new", new_part))
    agent = command(new, "agent", new_agent)
    agent.add_argument("name", metavar="NAME", help="name and address, such as order-desk")
    agent.add_argument(
        "--template",
        default="chat",
        help="a folder of apps/langgraph/templates: chat (the default), approval, supervisor…",
    )
    update.register(commands)
    return top


def dev(*, web: bool, only: str | None) -> None:
    """Run the API, the agents service and the web with hot reload, until Ctrl-C."""
    from platform_tools.start.dev import run

    run(web=web, only=only)


def doctor(*, as_json: bool) -> int:
    """Find problems and show how to fix them. Exit code 1 if there are any."""
    from platform_tools.check.doctor import run

    return run(as_json=as_json)


def secrets(*, production: bool) -> None:
    """Create .env and generate its missing secrets. Existing values are kept."""
    from platform_tools.create.env_file import ensure
    from platform_tools.project import settings_folder

    file = ".env.production" if production else ".env"
    done = ensure(settings_folder(), file)
    print(", ".join(done) or f"Nothing to do: {file} is complete.")


def verify(*, everything: bool, images: bool) -> int:
    """Check format, lint, types, tests and files for containers. Exit code 1 if one fails."""
    from platform_tools.check.verify import show

    return show(everything=everything, images=images)


def scan(*, sbom: Path) -> int:
    """List the packages that run in production, and find their known vulnerabilities.

    Exit code 1 if there are any, 2 if the scan could not look.
    """
    from platform_tools.check.scan import show

    return show(sbom)


def admin(arguments: list[str]) -> None:
    """Manage the platform's accounts."""
    from platform_tools.project import ROOT

    os.chdir(ROOT)
    # The API has the commands, with their help.
    command = (sys.executable, "-m", "apps.api.src.core.accounts.admin", *arguments)
    os.execv(sys.executable, command)  # noqa: S606


def new_part() -> None:
    """Create a new part of the platform."""


def new_agent(name: str, template: str) -> None:
    """Create a working agent with its tests. A running `platform dev` serves it at once."""
    from platform_tools.create.agent import run

    run(name, template)
