"""The commands of `platform`. Heavy modules are imported by the commands that need them."""

import os
import sys
from typing import Annotated

import typer

from platform_tools import new_agent
from platform_tools.project import settings_folder
from platform_tools.update import cli as update

app = typer.Typer(
    help="Develop, check and update this platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Help without rich, whose import costs more than everything else here.
    rich_markup_mode=None,
)


@app.command()
def dev(
    web: Annotated[bool, typer.Option(help="Run the web service where it is enabled.")] = True,
) -> None:
    """Run the API, the agents service and the web with hot reload, until Ctrl-C."""
    from platform_tools.dev.command import run

    run(web=web)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Say what is missing, taken or wrong, and how to mend it. Exit code 1 if anything fails."""
    from platform_tools.doctor import run

    raise typer.Exit(run(as_json=as_json))


@app.command()
def secrets() -> None:
    """Create .env and generate the secrets that are missing in it. Values that are set stay."""
    from platform_tools.secrets import ensure

    print(", ".join(ensure(settings_folder())) or "Nothing to do: .env is complete.")


@app.command()
def verify() -> None:
    """Check format, lint, types, tests and compose files. Exit code 1 if anything fails."""
    from platform_tools.verify import show

    raise typer.Exit(show())


admin = typer.Typer(help="Manage the platform's accounts.", no_args_is_help=True)
app.add_typer(admin, name="admin")


@admin.command()
def add(
    email: str,
    role: Annotated[list[str] | None, typer.Option(help="A role; repeatable.")] = None,
) -> None:
    """Create an account for EMAIL and show its password once."""
    _admin("add", email, *(word for one in role or [] for word in ("--role", one)))


@admin.command("reset-password")
def reset_password(email: str) -> None:
    """Give the account EMAIL a new password and show it once."""
    _admin("reset-password", email)


def _admin(*arguments: str) -> None:
    from platform_tools.project import ROOT

    os.chdir(ROOT)
    command = (sys.executable, "-m", "apps.api.src.core.admin", *arguments)
    os.execv(sys.executable, command)  # noqa: S606


app.add_typer(new_agent.app, name="new")
update.register(app)
