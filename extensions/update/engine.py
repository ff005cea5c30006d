"""Runs a request: the one entry of the engine's commands."""

import gc
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.landing.state import Folder
from extensions.update.objects.git import GitError
from extensions.update.terminal import say

_UPDATES = ("update", "proceed", "offer")


def main(request: dict[str, Any]) -> int:
    """Run a request; return the exit code: 0 done, 1 failed, 2 wrong input, 3 conflicts left."""
    root = Path(request["root"])
    try:
        # The starter holds the lock of an update; a preview and the like need none.
        locking = request["action"] in ("proceed", "abort", "resolve")
        with Folder(root).locked() if locking else nullcontext(), CopierWorker() as copier:
            return _run(copier, request, root)
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
        # Skip Python's last search for unreachable objects.
        gc.freeze()


def _run(copier: CopierWorker, request: dict[str, Any], root: Path) -> int:
    # The worker imports Copier while this process imports the rest of the engine.
    if request["action"] in ("update", "preview", "offer"):
        copier.start()
    from extensions.update.landing import kept

    code = _dispatch(copier, request, root)
    folder = Folder(root)
    if code == 0 and request["action"] in _UPDATES and not folder.load():
        kept.forget_others(folder.engines, kept.running())
    return code


def _dispatch(copier: CopierWorker, request: dict[str, Any], root: Path) -> int:
    from extensions.update import moving, offer, resolve, transaction
    from extensions.update.merging.mergedriver import merge_driver

    action = request["action"]
    if action == "proceed":
        return transaction.proceed(copier, root, request.get("verify", True))
    if action == "abort":
        return transaction.abort(root)
    if action == "resolve":
        return resolve.run(root, request.get("side"), request.get("zone"), request.get("paths", []))
    if action == "merge-driver":
        base, ours, theirs = map(Path, request["files"])
        return merge_driver(base, ours, theirs, request["path"])
    if action == "source":
        return moving.move_source(root, Path(request["template"]), request["source"])
    wanted = transaction.Request(
        root=str(root),
        template=request["template"],
        ref=request["ref"],
        source=request["source"],
        data=request.get("data", {}),
        verify=request.get("verify", True),
    )
    if action == "preview":
        return transaction.preview(copier, wanted, request.get("json", False))
    if action == "offer":
        return offer.offer(copier, wanted)
    return transaction.update(copier, wanted)


def _what_next(root: Path) -> str:
    if Folder(root).load():
        return "Next: uv run platform update --continue, or uv run platform update --abort"
    return "The project is as it was."
