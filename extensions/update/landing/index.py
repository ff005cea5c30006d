"""Edits the project's git index, safe against a kill.

A killed git leaves its lock file behind, and that stops every later git. So the index is edited as
a copy, which is then written to the lock file and renamed: a lock file with the contents of that
copy is known to be ours.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.inputs.project import base_ref
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import Git


def index_of(folder: Folder) -> Path:
    """The index of the project's work tree."""
    return folder.git_folder / "index"


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


def restore_entries(folder: Folder, paths: Iterable[str]) -> None:
    """Put the saved entries of the project's `paths` back in the index."""
    if not folder.index.exists():
        return
    wanted = {os.fsencode(folder.prefix + path) for path in paths}
    top = Path(Git(folder.root).line("rev-parse", "--show-toplevel"))
    saved = _entries(Git(top, {"GIT_INDEX_FILE": str(folder.index)}))
    with editing(folder, top) as git:
        now = _entries(git)
        changed = [path for path in wanted & {*now, *saved} if now.get(path) != saved.get(path)]
        if not changed:
            return
        none = b"0 " + b"0" * len(git.line("rev-parse", "HEAD")) + b" 0\t"
        records = [none + path for path in changed]
        records += [record for path in changed for _, record in saved.get(path, ())]
        git("update-index", "-z", "--index-info", stdin=b"".join(one + b"\0" for one in records))
        left_out = [path for path in changed if b"S" in dict(saved.get(path, ()))]
        listed = b"".join(path + b"\0" for path in left_out)
        git("update-index", "-z", "--skip-worktree", "--stdin", stdin=listed)
        git("update-index", "-q", "--refresh", ok=(0, 1))


def _entries(git: Git) -> dict[bytes, list[tuple[bytes, bytes]]]:
    """The entries of an index: path in the repository → (tag, record) of each stage."""
    found: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for line in git("ls-files", "--stage", "-t", "-z").split(b"\0")[:-1]:
        tag, _, record = line.partition(b" ")
        found.setdefault(record.partition(b"\t")[2], []).append((tag, record))
    return found


def stage_hidden(folder: Folder) -> list[str]:
    """Stage the files again that the index has lost since it was saved and that still exist.

    The project's own files are out of the index while Copier is at work, so a commit made then
    removes them. Returns their paths in the repository.
    """
    if not folder.index.exists():
        return []
    top = Path(Git(folder.root).line("rev-parse", "--show-toplevel"))
    saved = Git(top, {"GIT_INDEX_FILE": str(folder.index)})("ls-files", "--stage", "-z")
    with editing(folder, top) as git:
        present = set(git("ls-files", "-z").split(b"\0"))
        lost = {
            path: record
            for record in saved.split(b"\0")[:-1]
            if (path := record.partition(b"\t")[2]) not in present
            and os.path.lexists(os.path.join(os.fsencode(top), path))  # noqa: PTH118  # bytes
        }
        git("update-index", "-z", "--index-info", stdin=b"".join(r + b"\0" for r in lost.values()))
    return sorted(map(os.fsdecode, lost))


def clear_stale(folder: Folder, state: State) -> None:
    """Remove the lock files of a killed update, and no others."""
    lock, copy = _lock(index_of(folder)), folder.path / "index"
    ours = lock.exists() and copy.exists() and copy.read_bytes().startswith(lock.read_bytes())
    if ours or _left_by_copier(folder, state, lock):
        lock.unlink(missing_ok=True)
    (folder.project / ".git" / "index.lock").unlink(missing_ok=True)
    git = Git(folder.root)
    commits = {"", state.start, state.commit, state.theirs}
    names = ("HEAD", git.attempt("symbolic-ref", "--quiet", "HEAD"), base_ref(folder.prefix))
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
