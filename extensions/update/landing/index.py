"""The project's git index and locks, safe against a kill.

git's own lock files would be left behind by a killed git and stop every later one. So the index is
edited as a copy, and what takes the lock is recognised as ours when it is found again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import Git


def index_of(folder: Folder) -> Path:
    """The index of the project's work tree."""
    return folder.path.with_name("index")


@contextmanager
def editing(folder: Folder, root: Path | None = None) -> Iterator[Git]:
    """Give a git that works, in `root`, on a copy of the index, which then replaces the index."""
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
    """Remove the locks that a killed update left behind; those of others stay."""
    lock, copy = _lock(index_of(folder)), folder.path / "index"
    if lock.exists() and copy.exists() and copy.read_bytes().startswith(lock.read_bytes()):
        lock.unlink()
    (folder.project / ".git" / "index.lock").unlink(missing_ok=True)
    git = Git(folder.root)
    ours = {"", state.start, state.commit, state.theirs}
    names = ("HEAD", git.attempt("symbolic-ref", "--quiet", "HEAD"), "refs/platform/base")
    for name in filter(None, names):
        path = git.path(f"{name}.lock")
        if path.exists() and path.read_text(errors="replace").strip() in ours:
            path.unlink(missing_ok=True)


def _replace(index: Path, copy: Path) -> None:
    lock = _lock(index)
    try:
        with lock.open("xb") as file:
            file.write(copy.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise PlatformError(
            "Another git command is at work in this repository.",
            f"Wait until it has ended; if none is: rm {lock}\n"
            "Next: uv run platform update --continue",
        ) from None
    lock.replace(index)
    copy.unlink()


def _lock(index: Path) -> Path:
    return index.with_name("index.lock")
