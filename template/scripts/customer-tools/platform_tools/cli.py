"""The start of the `platform` command."""

import sys

from platform_tools.errors import PlatformError

_RENDERS_NOTHING = {"--continue", "--abort", "--source", "--help", "-h"}


def main() -> int:
    """Run the command. A user's mistake is explained on standard error, without a traceback."""
    if sys.argv[1:2] == ["update"] and _RENDERS_NOTHING.isdisjoint(sys.argv):
        # Of all that an update needs, Copier takes longest to be ready: nothing is before it.
        from platform_tools.update import copier_process

        copier_process.started()
    from platform_tools.arguments import execute
    from platform_tools.commands import parser
    from platform_tools.project import make_importable
    from platform_tools.terminal import say

    make_importable()
    try:
        return execute(parser())
    except PlatformError as error:
        say(f"Error: {error.message}", "bad")
        if error.hint:
            say(error.hint)
        return error.code
    except OSError as error:
        # A full disk, a missing permission: the message names the file.
        say(f"Error: {error}", "bad")
        return 1
