"""Runs a request: the one entry of the engine's commands."""

import gc
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from extensions.update import moving, offer, resolve, transaction
from extensions.update.errors import PlatformError
from extensions.update.inputs import copier_process
from extensions.update.landing.state import Folder
from extensions.update.merging.mergedriver import merge_driver
from extensions.update.objects.git import GitError
from extensions.update.preview import preview
from extensions.update.request import Request
from extensions.update.terminal import say


def main(given: dict[str, Any]) -> int:
    """Run a starter's request; return the exit code: 0 done, 1 failed, 2 wrong input, 3 conflicts.

    The fields of a request are those of `Request`.
    """
    root = None
    try:
        request = Request.parse(given)
        root = request.root
        # The starter holds the lock of an update; a preview and the like need none.
        locking = request.action in ("proceed", "abort", "resolve")
        with Folder(root).locked() if locking else nullcontext(), copier_process.stopping():
            return _run(request)
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
        if given.get("temporary"):
            shutil.rmtree(given["temporary"], ignore_errors=True)
        # Otherwise Python looks for unreachable objects once more before it exits.
        gc.freeze()


def _run(request: Request) -> int:
    match request.action:
        case "update":
            return transaction.update(request)
        case "preview":
            return preview(request, transaction.checked_project(request))
        case "offer":
            return offer.offer(request)
        case "source":
            return moving.move_source(request.root, request.template, request.source)
        case "proceed":
            return transaction.proceed(request.root, request.verify)
        case "abort":
            return transaction.abort(request.root)
        case "resolve":
            return resolve.run(request)
        case "merge-driver":
            base, ours, theirs = request.files
            return merge_driver(base, ours, theirs, request.path)


def _what_next(root: Path | None) -> str:
    if root and Folder(root).load():
        return "Next: uv run platform update --continue, or uv run platform update --abort"
    return "The project is as it was."
