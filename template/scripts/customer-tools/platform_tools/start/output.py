"""One log of several sources: each line starts with the name of its source, in its colour."""

import os
import signal
import sys

from platform_tools.terminal import coloured

COLOURS = {"platform": "white", "api": "cyan", "web": "green", "langgraph": "magenta"}
WIDTH = max(map(len, COLOURS))


def say(message: str, *, name: str = "platform", error: bool = False) -> None:
    """Print the lines of `message`, each after the name of its source."""
    try:
        for line in message.splitlines() or [""]:
            mark = coloured(f"{name:<{WIDTH}} │ ", COLOURS.get(name, "white"), sys.stdout)
            print(mark + (coloured(line, "red", sys.stdout) if error else line), flush=True)
    except OSError:
        # The terminal or pipe is closed: stop as for a closed terminal, discard further output.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # it stays open until the end
        os.kill(os.getpid(), signal.SIGHUP)
