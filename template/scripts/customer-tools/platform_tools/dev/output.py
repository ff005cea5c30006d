"""One log of several sources: each line with the name of its source, in a colour of its own."""

import os
import signal
import sys

import typer

COLOURS = {"platform": "white", "api": "cyan", "web": "green", "langgraph": "magenta"}
WIDTH = max(map(len, COLOURS))


def say(message: str, *, name: str = "platform", error: bool = False) -> None:
    """Print every line of `message`, marked with the name of its source."""
    try:
        for line in message.splitlines() or [""]:
            mark = typer.style(f"{name:<{WIDTH}} │ ", fg=COLOURS.get(name))
            typer.echo(mark + (typer.style(line, fg="red", bold=True) if error else line))
    except OSError:
        # Nobody reads any more: the terminal or the pipe was closed. Stop as for a closed terminal,
        # and let what is said until then go nowhere.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # it stays open until the end
        os.kill(os.getpid(), signal.SIGHUP)


def coloured() -> bool:
    """Whether colours reach somebody who sees them."""
    return sys.stdout.isatty()
