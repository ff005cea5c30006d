"""The engine's own command, and what other versions of the tools start: `main(REQUEST)`.

REQUEST is JSON: "action" (update, preview, continue, abort, resolve), "root", and the fields of
`transaction.Request`. The `platform` command of any older project calls this in the version that is
updated to, so what is here may grow and never change. It needs Copier and ruamel.yaml.
"""

import gc
import json
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from platform_tools.errors import PlatformError
from platform_tools.terminal import say
from platform_tools.update import copier_process, resolve, transaction
from platform_tools.update.git import GitError
from platform_tools.update.state import Folder


def main(argument: str, copier: copier_process.CopierProcess | None = None) -> int:
    """Run a request; return the exit code: 0 done, 1 failed, 2 wrong input, 3 conflicts left.

    `copier` is a process that renders, where the caller has started one.
    """
    if copier:
        copier_process.use(copier)
    request: dict[str, Any] = json.loads(argument)
    root = Path(request["root"])
    try:
        # The command that became this engine holds the lock already.
        free = request.get("locked") or request["action"] == "preview"
        with nullcontext() if free else Folder(root).locked(), copier_process.stopping():
            return _run(request, root)
    except (GitError, OSError) as error:
        say(f"Error: {error}", "bad")
        say(_what_next(root))
        return 1
    except PlatformError as error:
        say(f"Error: {error.message}", "bad")
        say(error.hint)
        return error.code
    except KeyboardInterrupt:
        say(f"\nStopped. {_what_next(root)}", "warn")
        return 130
    finally:
        if request.get("temporary"):
            shutil.rmtree(request["temporary"], ignore_errors=True)
        # At its end Python would look once more for what nobody uses, among all that there is.
        gc.freeze()


def _run(request: dict[str, Any], root: Path) -> int:
    action = request["action"]
    if action == "continue":
        return transaction.proceed(root, request.get("verify", True))
    if action == "abort":
        return transaction.abort(root)
    if action == "resolve":
        return resolve.run(root, request.get("side"), request.get("zone"), request.get("paths", []))
    wanted = transaction.Request(
        root=str(root),
        template=request["template"],
        ref=request["ref"],
        source=request["source"],
        data=request.get("data", {}),
        verify=request.get("verify", True),
    )
    if action == "preview":
        return transaction.preview(wanted, request.get("json", False))
    return transaction.update(wanted)


def _what_next(root: Path) -> str:
    if Folder(root).load():
        return "Next: uv run platform update --continue, or uv run platform update --abort"
    return "The project is as it was."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
