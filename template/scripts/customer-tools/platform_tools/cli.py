"""The start of the `platform` command.

An update that was stopped while it replaced the project's files may have left tools of two
versions: what is about that update runs its own tools, and this file needs no other to start them.
"""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_RENDERS_NOTHING = {"--continue", "--abort", "--source", "--help", "-h"}


def main() -> int:
    """Run the command. A user's mistake is explained on standard error, without a traceback."""
    try:
        if sys.argv[1:2] in (["update"], ["resolve"]) and (tools := _tools_of_unfinished()):
            return _run_of(tools)
        return _run()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Nobody reads any more, as with `| head`: Python would say so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def _tools_of_unfinished() -> Path | None:
    """The folder of an unfinished update's own tools, unless these are they."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        git = folder / ".git"
        if git.is_file():  # a work tree of its own, or a submodule
            git = folder / git.read_text().removeprefix("gitdir: ").rstrip("\n")
        state = git / "platform-update"
        if git.exists():
            tools = state / "engine"
            stored = state / "state.json"
            if not stored.exists() or not (tools / "platform_tools/cli.py").exists():
                return None
            # Copier's update may be committed by now: then another one begins, with these tools.
            landed = b'"phase": "landed"' in stored.read_bytes()
            begins = sys.argv[1] == "update" and {"--continue", "--abort"}.isdisjoint(sys.argv)
            return None if (landed and begins) or tools == Path(__file__).parents[1] else tools
    return None


def _run_of(tools: Path) -> int:
    for name in [name for name in sys.modules if name.partition(".")[0] == "platform_tools"]:
        del sys.modules[name]
    sys.path.insert(0, str(tools))
    sys.dont_write_bytecode = True
    from platform_tools import cli

    return cli.main()


def _run() -> int:
    if sys.argv[1:2] == ["update"] and _RENDERS_NOTHING.isdisjoint(sys.argv):
        # Of all that an update needs, Copier takes longest to be ready: nothing is before it.
        from platform_tools.update import copier_process

        copier_process.started()
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
