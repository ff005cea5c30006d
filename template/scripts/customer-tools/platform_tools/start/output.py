"""One log of several sources: each line starts with the name of its source, in its colour."""

import os
import re
import signal
import sys

from platform_tools.terminal import coloured, in_colour
from shared.terminal import escape_text

COLOURS = {"platform": "white", "api": "cyan", "web": "green", "langgraph": "magenta"}
WIDTH = max(map(len, COLOURS))
COLOUR = re.compile(r"(\033\[[0-9;]*m)")


def say(message: str, *, name: str = "platform", error: bool = False) -> None:
    """Print the lines of `message`, each after the name of its source."""
    try:
        for line in map(_shown, message.splitlines() or [""]):
            mark = coloured(f"{name:<{WIDTH}} │ ", COLOURS.get(name, "white"), sys.stdout)
            print(mark + (coloured(line, "red", sys.stdout) if error else line), flush=True)
    except OSError:
        # The terminal or pipe is closed: stop as for a closed terminal, discard further output.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # it stays open until the end
        os.kill(os.getpid(), signal.SIGHUP)


def _shown(line: str) -> str:
    """The line with its colours, on a terminal; other control characters would change it."""
    text, *rest = COLOUR.split(line.expandtabs())
    parts = [escape_text(text)]
    for colour, text in zip(rest[::2], rest[1::2], strict=True):
        parts += [colour if in_colour(sys.stdout) else "", escape_text(text)]
    if rest and in_colour(sys.stdout):
        parts.append("\033[0m")
    return "".join(parts)
