"""The start of the `platform` command.

An update that was stopped while it replaced the project's files may have left tools of two
versions: commands about updates need this file and `update.py`, and nothing else of the tools.
"""

import os
import sys
from io import TextIOWrapper


def main() -> int:
    """Run the command. A user's mistake is explained on standard error, without a traceback."""
    try:
        from platform_tools import update

        if sys.argv[1:2] and sys.argv[1] in update.COMMANDS:
            return update.main(sys.argv[1:])
        return _run()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone, as with `| head`: at its end Python would report that once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def _run() -> int:
    from platform_tools.arguments import execute
    from platform_tools.commands import parser
    from platform_tools.errors import PlatformError
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


if __name__ == "__main__":
    sys.exit(main())
