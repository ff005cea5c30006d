"""Replaces the project's files by the result's, so that a kill at any moment loses nothing.

Every file that may be replaced is first copied to the state folder. Then each is replaced as a
whole, by a rename. A file with neither its old nor its new contents was edited meanwhile, and is
left alone. So landing can be repeated or undone from wherever it stopped.
"""

import os
import shutil
import stat
from collections.abc import Iterable
from glob import glob
from pathlib import Path

from extensions.update.landing.index import index_of, restore_entries, restore_index
from extensions.update.landing.state import Folder, State, sync_folder
from extensions.update.objects.tree import is_file

_TOOLS = "scripts/customer-tools/platform_tools"
_START = (f"{_TOOLS}/cli.py", f"{_TOOLS}/update.py")
Snapshot = tuple[str, bytes] | None
"""What is at a path: (kind, contents), or None."""


def save(folder: Folder, state: State, paths: Iterable[str]) -> None:
    """Copy the project's files at `paths`, and git's index, to the state folder."""
    shutil.rmtree(folder.backup.parent, ignore_errors=True)
    folder.backup.mkdir(parents=True)
    state.touched = sorted(paths)
    for path in state.touched:
        if _reachable(folder.root, path) and is_file(folder.root / path):
            _copy(folder.root / path, folder.backup / path)
            _sync(folder.backup / path)
    if (index := index_of(folder)).exists():
        shutil.copy2(index, folder.index)
        _sync(folder.index)


def land(folder: Folder, state: State, skip: Iterable[str] = ()) -> list[str]:
    """Bring the files of `state.touched` from project/ into the project.

    The paths in `skip` are left alone. Returns those that were edited meanwhile.
    """
    return _replace(folder, state.touched, folder.backup, folder.project, set(skip))


def take_back(folder: Folder, state: State) -> list[str]:
    """Undo `land`; return the paths that were edited meanwhile and are left alone."""
    skip = {*state.sparse, *state.edited}
    edited = _replace(folder, state.touched, folder.project, folder.backup, skip)
    restore_entries(folder, state.touched)
    return edited


def restore(
    folder: Folder, state: State, displaced: Path | None = None, *, moved_on: bool = False
) -> None:
    """Put back every file that Copier may have changed.

    `displaced` is a folder for the present contents of those paths; without it they are lost.
    `moved_on`: the repository has new commits, which are not about the project.
    """
    made = matching(folder.root, state.patterns)
    for path in sorted({*state.touched, *made}):
        old, target = _saved(folder.backup / path), folder.root / path
        if not _reachable(folder.root, path) or snapshot(target) == old:
            continue
        if old and is_file(target):
            # Replaced, not removed first: commands find the project by its answers file.
            if displaced:
                _copy(target, _free(displaced, target.name))
            _install(folder.backup / path, target)
            continue
        _remove_any(target, displaced)
        if old:
            _install(folder.backup / path, target)
        else:
            _prune(folder.root, path)
    for number, path in enumerate(state.moved):
        if os.path.lexists(_slot(folder, number)):
            _remove_any(folder.root / path, displaced)
    put_back(folder, state)
    if state.phase == "copier" and not moved_on:
        restore_index(folder)  # it lacks files of the whole repository
    else:
        restore_entries(folder, state.touched)


def copy_changed(folder: Folder, state: State, place: Path) -> dict[str, bytes]:
    """Copy files that were written since `save`, by Copier or by others, to the folder `place`.

    Returns their contents by path.
    """
    changed = {}
    for path in sorted({*state.touched, *matching(folder.root, state.patterns)}):
        now = snapshot(folder.root / path) if _reachable(folder.root, path) else None
        if now and now[0] != "folder" and now != _saved(folder.backup / path):
            _copy(folder.root / path, place / path)
            changed[path] = now[1]
    return changed


def set_aside(folder: Folder, state: State, paths: Iterable[str]) -> None:
    """Move files and folders of the project out of the way; `restore` puts them back."""
    state.moved = list(paths)
    folder.save(state)
    for number, path in enumerate(state.moved):
        saved = _slot(folder, number)
        saved.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder.root / path, saved)


def put_back(folder: Folder, state: State) -> None:
    """Move what was set aside back, where nothing else has taken its place."""
    for number, path in enumerate(state.moved):
        saved, target = _slot(folder, number), folder.root / path
        if os.path.lexists(saved) and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(saved, target)


def snapshot(path: Path) -> Snapshot:
    """What is at a path, to compare it."""
    try:
        if path.is_symlink():
            return ("link", os.fsencode(path.readlink()))
        if path.is_dir():
            return ("folder", b"")
        kind = "program" if path.stat().st_mode & 0o100 else "file"
        return (kind, path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _replace(
    folder: Folder, paths: Iterable[str], before: Path, after: Path, skip: set[str]
) -> list[str]:
    root, edited, folders = folder.root, [], set()
    landing = after == folder.project
    todo = [path for path in paths if path not in skip]
    # Removals first: they make room for folders, and for names that differ in case alone.
    todo.sort(key=lambda path: (_saved(after / path) is not None, path))
    # The starter lands first and is taken back last: it starts the engine of an unfinished update,
    # also when the other tools are of two versions.
    todo.sort(key=lambda path: (path in _START) != landing)
    for path in todo:
        old, new = _saved(before / path), _saved(after / path)
        if _reachable(root, path):
            _partial(root / path).unlink(missing_ok=True)
        now = snapshot(root / path) if _reachable(root, path) else ("blocked", b"")
        if now == new or (new is None and now == ("blocked", b"")):
            continue
        if now == ("folder", b"") and new and not any((root / path).iterdir()):
            (root / path).rmdir()
            now = None
        if now != old:
            edited.append(path)
        elif new is None:
            (root / path).unlink()
            _prune(root, path)
        else:
            _install(after / path, root / path, keep_mode=landing)
        folders.add((root / path).parent)
    for parent in folders:
        sync_folder(parent)
    return edited


def matching(root: Path, patterns: Iterable[str]) -> set[str]:
    """Files below `root` that match one of the globs, without following links to folders."""
    return {
        path
        for pattern in patterns
        for path in glob(pattern, root_dir=root, include_hidden=True)  # noqa: PTH207  # bytes names
        if _reachable(root, path) and is_file(root / path)
    }


def _slot(folder: Folder, number: int) -> Path:
    return folder.backup.with_name("moved") / str(number)


def _saved(path: Path) -> Snapshot:
    """What was saved at a path; None for a folder, which only holds saved files."""
    found = snapshot(path)
    return None if found == ("folder", b"") else found


def _reachable(root: Path, path: str) -> bool:
    """Whether every folder above a path is missing or a real folder, not a link or a file."""
    place = str(root)
    for name in path.split("/")[:-1]:
        place = f"{place}/{name}"
        try:
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                return False
        except FileNotFoundError:
            return True
    return True


def _install(source: Path, target: Path, *, keep_mode: bool = False) -> None:
    """Replace `target` by a copy of `source`, whole or not at all.

    `keep_mode`: keep the target's permissions except the execute bits, the only ones in git.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new = _partial(target)
    new.unlink(missing_ok=True)
    _copy(source, new)
    if keep_mode and not source.is_symlink() and target.is_file() and not target.is_symlink():
        mode = target.stat().st_mode
        program = source.stat().st_mode & 0o100
        new.chmod(mode | (mode & 0o444) >> 2 if program else mode & ~0o111)
    _sync(new)
    new.replace(target)


def _sync(path: Path) -> None:
    """Flush a file to the disk."""
    if not path.is_symlink():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _partial(target: Path) -> Path:
    """The path where a file is written before it is renamed to `target`."""
    name = os.fsdecode(os.fsencode(target.name)[:200])
    return target.with_name(f".{name}.platform-update")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


def _free(displaced: Path, name: str) -> Path:
    """An unused path in `displaced`."""
    displaced.mkdir(exist_ok=True)
    return displaced / f"{len(list(displaced.iterdir())) + 1}-{name}"


def _remove_any(path: Path, displaced: Path | None) -> None:
    if not os.path.lexists(path):
        return
    if displaced:
        shutil.move(path, _free(displaced, path.name))
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _prune(root: Path, path: str) -> None:
    """Remove the folders above a removed file that are empty now."""
    for parent in list(Path(path).parents)[:-1]:
        try:
            (root / parent).rmdir()
        except OSError:
            return
