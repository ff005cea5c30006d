"""The customer's project before an update, and the reasons to refuse an update."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership
from extensions.update.inputs.render import read_answers
from extensions.update.objects.git import Git, GitError
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Tree, above

_BASE_REF = "refs/platform/base"
REPORTS = "docs/updates"
"""The folder of the reports."""
_UNFINISHED = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


def base_ref(prefix: str) -> str:
    """The ref of the render that the last update of the project in a folder has kept."""
    return f"{_BASE_REF}-{sha256(os.fsencode(prefix)).hexdigest()[:16]}" if prefix else _BASE_REF


@dataclass(frozen=True)
class Project:
    """A project in git: the whole repository or a folder of a larger one."""

    root: Path
    answers_file: str = ".copier-answers.yml"

    @cached_property
    def objects(self) -> ObjectStore:
        """The objects of the project's repository."""
        return ObjectStore(self.root)

    @property
    def git(self) -> Git:
        """git in the project's folder."""
        return self.objects.git

    @cached_property
    def _place(self) -> list[str]:
        wanted = ("--absolute-git-dir", "--show-prefix", "--verify", "HEAD^{commit}")
        return self.git.line("rev-parse", *wanted).rsplit("\n", 2)

    @property
    def git_folder(self) -> Path:
        """Git's own folder for this work tree."""
        return Path(self._place[0])

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self._place[2]

    @property
    def prefix(self) -> str:
        """The project's folder in its repository: "" or "folder/"."""
        return self._place[1]

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The stored answers. Raises `PlatformError` when the file is missing or wrong."""
        name = self.answers_file
        hint = f"Restore it from git: git log -- {name}, then git checkout COMMIT -- {name}"
        try:
            contents = self.git("show", f"HEAD:./{name}")
        except GitError:
            raise PlatformError(
                f"{name} is missing in the last commit: it is required for updates.", hint
            ) from None
        answers = read_answers(contents)
        if answers is None:
            raise PlatformError(f"{name} does not hold answers: it is not a YAML mapping.", hint)
        for key in ("_commit", "_src_path"):
            if not isinstance(answers.get(key), str) or not answers[key]:
                raise PlatformError(f"{name} has no {key}.", hint)
        return answers

    @cached_property
    def rendered_answers(self) -> dict[str, Any]:
        """The answers of the last update: those stored, without edits by hand.

        A commit with a new report is an update, and so is a change of the version.
        """
        found = self.answers
        file, options = self.answers_file, ("--no-renames", "--no-follow", "--no-show-signature")
        paths = (f":(literal){file}", f":(glob){REPORTS}/*", ":(glob)platform-update-*")
        listing = ("--format=%x00%H", "--name-status", "--relative", *options)
        for one in os.fsdecode(self.git("log", *listing, "HEAD", "--", *paths)).split("\0")[1:]:
            commit, *changes = one.split("\n")
            contents = self.objects.contents(f"{commit}:{self.prefix}{file}")
            stored = read_answers(contents or b"") or {}
            if stored.get("_commit") != self.answers["_commit"]:
                break
            found = stored
            if any(change.startswith("A\t") and change != f"A\t{file}" for change in changes):
                break
        return found

    @property
    def edited_answers(self) -> dict[str, Any]:
        """The stored answers that were edited by hand since the last update."""
        rendered = self.rendered_answers
        return {
            name: value
            for name, value in self.answers.items()
            if not name.startswith("_") and rendered.get(name, value) != value
        }

    @cached_property
    def ownership(self) -> Ownership:
        """Whose each path is. Raises `PlatformError` when the claims in platform.toml are wrong."""
        return Ownership.of(self.git, self.head)

    def check(self) -> None:
        """Raises `PlatformError` when an update cannot begin."""
        version = tuple(map(int, re.findall(r"\d+", self.git.line("version"))[:2]))
        if version < (2, 38):
            raise PlatformError("git is too old.", "Install git 2.38 or later.", 2)
        try:
            _ = self.head
        except GitError as error:
            if "not a git repository" in str(error):
                raise PlatformError(
                    f"{self.root} is not in git.",
                    "Next: git init && git add --all && git commit",
                    2,
                ) from None
            if "single revision" not in str(error):
                raise
            raise PlatformError(
                "The project has no commit yet.",
                "Run git add --all && git commit, then try again.",
            ) from None
        for name, what in _UNFINISHED.items():
            undo = f"git {what} {'reset' if what == 'bisect' else '--abort'}"
            if (self.git_folder / name).exists():
                raise PlatformError(f"A {what} is unfinished.", f"Finish it, or undo it: {undo}")
        _ = self.answers, self.ownership

    def check_committed(self) -> None:
        """Raises `PlatformError` when there are uncommitted changes."""
        if names := self.uncommitted():
            shown = "\n".join(f"  {name}" for name in names[:5]) + ("\n  …" if names[5:] else "")
            raise PlatformError(
                f"There are uncommitted changes:\n{shown}",
                "Run git commit or git stash, then try again.",
            )

    def uncommitted(self) -> list[str]:
        """Tracked paths with uncommitted changes."""
        changed = self.git(
            *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"),
            *("--ignore-submodules=dirty", "--", "."),
        )
        return [os.fsdecode(line[3:]) for line in changed.split(b"\0")[:-1]]

    def on_disk(self, ours: Tree, paths: Iterable[str]) -> set[str]:
        """Those of `paths` where the disk has something that is not in git."""
        folders = {folder for path in ours for folder in above(path)}
        return {path for path in paths if path not in ours and self._taken(path, ours, folders)}

    def _taken(self, path: str, ours: Tree, folders: set[str]) -> bool:
        for parent in reversed([*above(path)][:-1]):
            place = self.root / parent
            if place.is_symlink() or (place.exists() and not place.is_dir()):
                return parent not in ours
        return os.path.lexists(self.root / path) and path not in folders

    def once_had(self, path: str) -> bool | None:
        """Whether a path that HEAD lacks was deleted, and not by `git revert`.

        None: unknown, because this clone lacks older commits.
        """
        deletions = ("--diff-merges=separate", "--diff-filter=D", "--name-only", "--no-renames")
        reverts = ("--invert-grep", "--grep=^This reverts commit ")
        settings = ("--no-follow", "--no-show-signature")
        arguments = ("log", "-1", *settings, *deletions, *reverts)
        if self.git(*arguments, "HEAD", "--", f":(literal){path}"):
            return True
        return None if self.git.line("rev-parse", "--is-shallow-repository") == "true" else False
