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
        with Folder(root).locked() if locking else nullcontext(), CopierWorker() as copier:
            return _run(copier, request)
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
        # Skip Python's last search for unreachable objects.
        gc.freeze()


def _run(copier: CopierWorker, request: Request) -> int:
    # The worker imports Copier while this process imports the rest of the engine.
    if request.action in ("update", "preview", "offer"):
        copier.start()
    from extensions.update import moving, offer, preview, resolve, transaction
    from extensions.update.merging.mergedriver import merge_driver

    match request.action:
        case "update":
            return transaction.update(copier, request)
        case "preview":
            return preview.preview(copier, request)
        case "offer":
            return offer.offer(copier, request)
        case "source":
            names = request.root, request.answers_file
            return moving.move_source(*names, request.template, request.source)
        case "proceed":
            return transaction.proceed(copier, request.root, request.verify)
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
