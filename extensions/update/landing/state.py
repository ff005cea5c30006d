"""The folder of an unfinished update: what it was asked, how far it is, how to go back.

It is inside git's own folder for this work tree (`git rev-parse --git-path platform-update`):

    state.json   the request and the phase; without it the folder is rubbish
    lock         held while a command works on the update
    backup/      the project's files as they were, at their paths, and index
    template/    the vendor's template, bare

The engine that began the update is beside it, in `platform-engine/` and the folder `engine`.

The new project itself is in `.platform-update/project`, a repository of the update's own, where its
checks can run and its conflicts be edited: tools do not look into git's folder.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from extensions.update.errors import PlatformError
from extensions.update.objects.git import Git

Phase = Literal[
    "started",  # nothing of the project has changed
    "copier",  # Copier is at work in the project's files
    "ready",  # the result is in project/, perhaps with conflicts
    "landing",  # the project's files are being replaced
    "landed",  # the project's files are the result; conflicts may be left in its index
]


@dataclass
class State:
    """What is kept between commands. Paths are relative to the project."""

    door: Literal["platform", "copier"]
    phase: Phase
    start: str
    """HEAD when the update began."""
    request: dict[str, Any] = field(default_factory=dict)
    engine: str = ""
    """The folder of the engine, in `platform-engine/`."""
    plan: dict[str, Any] = field(default_factory=dict)
    tree: str = ""
    """The result's tree, of the project alone."""
    theirs: str = ""
    """The commit of the new render, the next update's base."""
    touched: list[str] = field(default_factory=list)
    """Paths that may be replaced; those in backup/ existed."""
    moved: list[str] = field(default_factory=list)
    """Paths that were moved to backup/moved/NUMBER as a whole, out of Copier's way."""
    patterns: list[str] = field(default_factory=list)
    """Where Copier may have made files, as globs."""
    commit: str = ""
    """The commit that lands; none when Copier started the update."""
    report: str = ""
    """The path of the Markdown report."""
    full: bool = False
    """Whether project/ holds the whole project, in which the user may have worked."""
    rebuild: list[str] = field(default_factory=list)
    """Lock files that are left to rebuild after the landing."""
    edited: list[str] = field(default_factory=list)
    """Paths that the user changed while the update ran: left alone."""
    sparse: list[str] = field(default_factory=list)
    """Paths that this checkout leaves out."""
    conflicts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Path → stage → mode and object id, for the index."""


def lock(descriptor: int) -> None:
    """Lock the open file of a state's lock. Raises `PlatformError` when a command holds it."""
    # The last child of a killed command may hold it for a moment longer.
    deadline = time.monotonic() + 1
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise PlatformError(
                    "Another update of this project is running.", "Wait until it has ended."
                ) from None
            time.sleep(0.02)
        else:
            return


class Folder:
    """The state folder of one project."""

    def __init__(self, root: Path, git_folder: Path | None = None) -> None:
        """`git_folder`: git's own for this work tree, where it is known."""
        self.root = root
        self.path = (git_folder or Git(root).path("")) / "platform-update"
        self.backup = self.path / "backup" / "files"
        self.index = self.path / "backup" / "index"
        self.project = root / ".platform-update" / "project"
        self.template = self.path / "template"
        self.engines = self.path.with_name("platform-engine")

    def load(self) -> State | None:
        """The unfinished update, if there is one."""
        try:
            stored = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
            # The engine of a newer version, started by an older project's command, may store more.
            known = {one.name for one in fields(State)}
            return State(**{name: value for name, value in stored.items() if name in known})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError):
            raise PlatformError(
                f"The state of an unfinished update is damaged: {self.path / 'state.json'}",
                f"The files that it replaced, if it came that far, are as they were in\n"
                f"  {self.backup}\n"
                f"Compare them with the project, then begin anew: mv {self.path} ELSEWHERE",
            ) from None

    def save(self, state: State) -> None:
        """Write the state; it is on the disk when this returns."""
        write_durably(self.path / "state.json", json.dumps(asdict(state)).encode())

    def clear(self) -> None:
        """Forget the update. What is half removed after a crash counts as forgotten."""
        (self.path / "state.json").unlink(missing_ok=True)
        sync_folder(self.path)
        self.clear_project()
        shutil.rmtree(self.path, ignore_errors=True)

    def forget_keeping_backup(self) -> Path:
        """Forget the update, but not the files as they were; return where these are."""
        kept = self.path.with_name(f"platform-update-{int(time.time())}")
        self.backup.parent.rename(kept)
        self.clear()
        return kept

    def clear_project(self) -> None:
        """Forget what was computed, not what was asked."""
        shutil.rmtree(self.project.parent, ignore_errors=True)

    def empty(self) -> None:
        """Remove what an ended or broken update has left, but not the lock and the template."""
        for path in self.path.iterdir() if self.path.exists() else ():
            if path == self.template:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
        self.clear_project()

    def make_project(self) -> Path:
        """Where to compute: a new place that git does not see."""
        self.clear_project()
        self.project.parent.mkdir()
        (self.project.parent / ".gitignore").write_text("*\n")
        return self.project

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands off this update. Raises `PlatformError` when one is at work."""
        self.path.mkdir(exist_ok=True)
        with (self.path / "lock").open("w") as file:
            lock(file.fileno())
            yield
        if self.path.exists() and not (self.path / "state.json").exists():
            shutil.rmtree(self.path, ignore_errors=True)


def write_durably(path: Path, contents: bytes) -> None:
    """Replace a file by new contents, whole or not at all, on the disk when this returns."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(contents)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames and removals in a folder survive a power failure."""
    if not path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
