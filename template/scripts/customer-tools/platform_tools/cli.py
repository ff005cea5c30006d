"""The start of the `platform` command."""

import os
import sys
from io import TextIOWrapper

from platform_tools.errors import PlatformError

_RENDERS_NOTHING = {"--continue", "--abort", "--source", "--help", "-h"}


def main() -> int:
    """Run the command. A user's mistake is explained on standard error, without a traceback."""
    try:
        return _run()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Nobody reads any more, as with `| head`: Python would say so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def _run() -> int:
    if sys.argv[1:2] == ["update"] and _RENDERS_NOTHING.isdisjoint(sys.argv):
        # Of all that an update needs, Copier takes longest to be ready: nothing is before it.
        from platform_tools.update import copier_process

        copier_process.started()
    from platform_tools.arguments import execute
    from platform_tools.commands import parser
    from platform_tools.project import make_importable
    from platform_tools.terminal import say

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    make_importable()
    try:
        code = execute(parser())
        if sys.stdout:
            sys.stdout.flush()
    except PlatformError as error:
        say(f"Error: {error.message}", "bad")
        say(error.hint)
        return error.code
    except BrokenPipeError:
        raise
    except OSError as error:
        # A full disk, a missing permission: the message names the file.
        say(f"Error: {error}", "bad")
        return 1
    return code
