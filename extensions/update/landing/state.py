"""The folder of an unfinished update: its request, its phase, and what `--abort` needs.

A project that is a whole repository has its folder, `platform-update`, in git's folder for this
work tree; a project in a folder of its repository, in `platform-projects/FOLDER` there:

    state.json   the state; without it the update is finished
    lock         held while a command works on the update
    backup/      the project's files and index before the update
    template/    the vendor's template, bare

The engine of the update is beside it, in `platform-engine/`.

The new project is in `.platform-update/project`, a git repository of its own. It is outside git's
folder because tools that verify it or edit its conflicts do not look there.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from extensions.update.errors import PlatformError
from extensions.update.merging.lines import Conflicts
from extensions.update.objects.git import Git
from extensions.update.report.plan import Plan
from extensions.update.request import Request
from extensions.update.typed import from_json, to_json

Phase = Literal[
    "started",  # nothing of the project has changed
    "copier",  # Copier is at work in the project's files
    "ready",  # the result is in project/, perhaps with conflicts
    "landing",  # the project's files are being replaced
    "landed",  # the project's files are the result; conflicts may be left in its index
]


@dataclass
class State:
    """What is kept between commands. Paths are relative to the project.

    The starter reads `door`, `phase`, `start` and `engine`. Another version's engine may read the
    rest: fields and values may be added, and never renamed or removed.
    """

    door: Literal["platform", "copier"]
    phase: Phase
    start: str
    """HEAD when the update began."""
    request: Request
    engine: str = ""
    """The engine's folder in `platform-engine/`."""
    copier: int = 0
    """Copier's process, under its door."""
    plan: Plan = field(default_factory=Plan)
    """Empty until it is computed."""
    tree: str = ""
    """The tree of the result; its top is the project's folder."""
    theirs: str = ""
    """The commit of the new render, the next update's base."""
    touched: list[str] = field(default_factory=list)
    """Paths that may be replaced; those in backup/ existed."""
    moved: list[str] = field(default_factory=list)
    """Files and folders that were moved to backup/moved/NUMBER, out of Copier's way."""
    patterns: list[str] = field(default_factory=list)
    """Globs of the paths that Copier may have created."""
    commit: str = ""
    """The commit of the result; none under Copier's door."""
    report: str = ""
    """The path of the Markdown report."""
    full: bool = False
    """Whether project/ holds the whole project, in which the user may have worked."""
    rebuild: list[str] = field(default_factory=list)
    """Lock files to rebuild after the landing."""
    edited: list[str] = field(default_factory=list)
    """Paths that the user changed while the update ran: left alone."""
    sparse: list[str] = field(default_factory=list)
    """Paths that this sparse checkout leaves out."""
    resolved: dict[str, str] = field(default_factory=dict)
    """Path that was in conflict → the side that was taken, "" for an edit."""
    prefix: str | None = None
    """The project's folder in its repository; None in states of 0.3.0."""
    conflicts: Conflicts = field(default_factory=dict)


def lock(descriptor: int) -> None:
    """Lock an open lock file. Raises `PlatformError` when another command holds the lock."""
    # The last child process of a killed command may hold it a moment longer.
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

    def __init__(self, root: Path, template: Path | None = None) -> None:
        """`template`: where the starter of an update has put its clone."""
        self.root = root
        located = Git(root)("rev-parse", "--absolute-git-dir", "--show-prefix")
        git_folder, self.prefix = os.fsdecode(located)[:-1].rsplit("\n", 1)
        self.git_folder = Path(git_folder)
        self.path = self._place(self.git_folder, template) / "platform-update"
        self.backup = self.path / "backup" / "files"
        self.index = self.path / "backup" / "index"
        self.project = root / ".platform-update" / "project"
        self.template = self.path / "template"
        self.engines = self.path.with_name("platform-engine")
        self._state = self.path / "state.json"

    def _place(self, git_folder: Path, template: Path | None) -> Path:
        """The folder of the state and the engines."""
        own = git_folder / "platform-projects" / self.prefix if self.prefix else git_folder
        # The starter of 0.3.0 knows git's folder alone.
        shared = git_folder / "platform-update"
        if template == shared / "template":
            return git_folder
        if not (own / "platform-update" / "state.json").exists():
            with suppress(FileNotFoundError, ValueError):
                state = from_json(State, json.loads((shared / "state.json").read_bytes()))
                return git_folder if self._is_of_this(state) else own
        return own

    def _is_of_this(self, state: State) -> bool:
        if state.prefix is None:
            return state.request.root == self.root or not state.request.root.exists()
        return state.prefix == self.prefix

    def load(self) -> State | None:
        """The unfinished update, if there is one."""
        try:
            state = from_json(State, json.loads(self._state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise PlatformError(
                f"The state of an unfinished update is damaged ({error}): {self._state}",
                f"If it replaced files of the project, the earlier versions are in\n"
                f"  {self.backup}\n"
                f"Compare them with the project. Then move {self.path} to another place and\n"
                "run the update again.",
            ) from None
        if not self._is_of_this(state):
            raise PlatformError(
                f"The unfinished update is that of the project in {state.request.root}.",
                "Finish or undo it there, then try again.",
            )
        return state

    def save(self, state: State) -> None:
        """Write the state; it is on the disk when this returns."""
        write_durably(self._state, json.dumps(to_json(state)).encode())

    def clear(self) -> None:
        """Forget the update. After a crash in the middle it counts as forgotten."""
        self._state.unlink(missing_ok=True)
        sync_folder(self.path)
        self.clear_project()
        shutil.rmtree(self.path, ignore_errors=True)

    def forget_keeping_backup(self) -> Path:
        """Forget the update and keep the backup; return the backup's new folder."""
        kept = self.path.with_name(f"platform-update-{int(time.time())}")
        self.backup.parent.rename(kept)
        self.clear()
        return kept

    def clear_project(self) -> None:
        """Remove the new project."""
        shutil.rmtree(self.project.parent, ignore_errors=True)

    def empty(self) -> None:
        """Remove what an earlier update left, except the lock and the template."""
        for path in self.path.iterdir() if self.path.exists() else ():
            if path == self.template:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
        self.clear_project()

    def make_project(self) -> Path:
        """An empty folder for the new project, which git ignores."""
        self.clear_project()
        self.project.parent.mkdir()
        (self.project.parent / ".gitignore").write_text("*\n")
        return self.project

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the update. Raises `PlatformError` when another command holds the lock."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as file:
            lock(file.fileno())
            try:
                yield
            finally:
                if not self._state.exists():
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
