"""The start of the `platform` command."""

import sys

from platform_tools.errors import PlatformError

_RENDERS_NOTHING = {"--continue", "--abort", "--source", "--help"}


def main() -> int:
    """Run the command. A user's mistake is explained on standard error, without a traceback."""
    if sys.argv[1:2] == ["update"] and _RENDERS_NOTHING.isdisjoint(sys.argv):
        # Of all that an update needs, Copier takes longest to be ready: nothing is before it.
        from platform_tools.update import copier_process

        copier_process.started()
    import typer

    from platform_tools.commands import app
    from platform_tools.project import make_importable

    make_importable()
    try:
        app()
    except PlatformError as error:
        typer.secho(f"Error: {error.message}", fg="red", err=True)
        if error.hint:
            typer.echo(error.hint, err=True)
        return error.code
    except OSError as error:
        # A full disk, a missing permission: the message names the file.
        typer.secho(f"Error: {error}", fg="red", err=True)
        return 1
    return 0
