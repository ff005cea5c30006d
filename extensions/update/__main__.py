"""The update engine as a program.

    python __main__.py REQUEST                       what a project's starter runs; REQUEST is JSON
    python __main__.py continue | abort              in a project whose own tools do not start
    python __main__.py copier TEMPLATE ANSWERS_FILE  what copier.yml's migrations run
    python __main__.py delivered                     in a project that `copier copy` has made

The starters of all older versions call this file, so what it accepts may grow and never change:
"action" (update, preview, offer, source, proceed, abort, resolve, merge-driver), "root", and the
fields of `requests.Request`. Exit codes: 0 done, 1 failed, 2 wrong input, 3 conflicts are left,
130 stopped.
"""

import json
import sys
from pathlib import Path

# This file is started by its path, with no package around it.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from extensions.update import environment  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run a command; return the exit code."""
    environment.enter(Path(__file__).parent, arguments)
    # From here on everything that the engine needs is there.
    from extensions.update.objects.git import leave_surrounding_git

    leave_surrounding_git()
    if arguments[0] == "delivered":
        from extensions.update.inputs import delivered

        delivered.write(Path.cwd())
        return 0
    if arguments[0] == "copier":
        from extensions.update import copier_hook

        return copier_hook.main(*arguments[1:])
    from extensions.update import engine

    if arguments[0] in ("continue", "abort"):
        action = arguments[0].replace("continue", "proceed")
        return engine.main({"action": action, "root": str(Path.cwd())})
    return engine.main(json.loads(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
