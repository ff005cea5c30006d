"""Edits the project's git index, safe against a kill.

A killed git leaves its lock file behind, and that stops every later git. So the index is edited as
a copy, which is then written to the lock file and renamed: a lock file with the contents of that
copy is known to be ours.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import Git


def index_of(folder: Folder) -> Path:
    """The index of the project's work tree."""
    return folder.path.with_name("index")


@contextmanager
def editing(folder: Folder, root: Path | None = None) -> Iterator[Git]:
    """Yield a git in `root` with a copy of the index; at the end the copy replaces the index."""
    index, copy = index_of(folder), folder.path / "index"
    copy.write_bytes(index.read_bytes())
    yield Git(root or folder.root, {"GIT_INDEX_FILE": str(copy)})
    _replace(index, copy)


def restore_index(folder: Folder) -> None:
    """Put the saved index back."""
    if folder.index.exists():
        copy = folder.path / "index"
        copy.write_bytes(folder.index.read_bytes())
        _replace(index_of(folder), copy)


def clear_stale(folder: Folder, state: State) -> None:
    """Remove the lock files of a killed update, and no others."""
    lock, copy = _lock(index_of(folder)), folder.path / "index"
    ours = lock.exists() and copy.exists() and copy.read_bytes().startswith(lock.read_bytes())
    if ours or _left_by_copier(folder, state, lock):
        lock.unlink(missing_ok=True)
    (folder.project / ".git" / "index.lock").unlink(missing_ok=True)
    git = Git(folder.root)
    commits = {"", state.start, state.commit, state.theirs}
    names = ("HEAD", git.attempt("symbolic-ref", "--quiet", "HEAD"), "refs/platform/base")
    for name in filter(None, names):
        path = git.path(f"{name}.lock")
        if path.exists() and path.read_text(errors="replace").strip() in commits:
            path.unlink(missing_ok=True)


def _left_by_copier(folder: Folder, state: State, lock: Path) -> bool:
    """Whether the lock is of a git that was killed with Copier, in the middle of its update."""
    if state.phase != "copier" or not lock.exists():
        return False
    with suppress(ProcessLookupError):
        with suppress(PermissionError):  # another user's process has its number
            os.kill(state.copier, 0)
        return False
    time.sleep(1)  # a git that outlives Copier ends by itself
    began = (folder.path / "state.json").stat().st_mtime
    return lock.exists() and lock.stat().st_mtime >= began


def _replace(index: Path, copy: Path) -> None:
    lock = _lock(index)
    try:
        with lock.open("xb") as file:
            file.write(copy.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise PlatformError(
            "Another git command is running in this repository.",
            f"Wait until it has ended. If no git is running: rm {lock}\n"
            "Next: uv run platform update --continue",
        ) from None
    lock.replace(index)
    copy.unlink()


def _lock(index: Path) -> Path:
    return index.with_name("index.lock")
