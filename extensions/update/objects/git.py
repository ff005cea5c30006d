"""git, in bytes."""

from __future__ import annotations

import os
import subprocess
import weakref
from typing import IO, TYPE_CHECKING, cast

from extensions.update.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# A variable of a surrounding git (a hook, an alias) would redirect ours to another repository.
_INHERITED = (
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
# Hooks are the customer's and expect the customer's work; optional locks would change the index.
# The template's clone is bare.
_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "core.fsmonitor=false"),
    *("-c", "safe.bareRepository=all"),
)
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LFS_SKIP_SMUDGE": "1"}

# Who commits where git does not know the user, and in the update's own repository.
PLATFORM = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "platform update"), ("EMAIL", "platform-update@localhost"))
}


def leave_surrounding_git() -> None:
    """Take out of this process's environment what the git around it has set."""
    for name in _INHERITED:
        os.environ.pop(name, None)


class GitError(PlatformError):
    """git failed: its command and what it said."""


class Git:
    """Runs git in one folder.

    Paths are `str` as `os.fsdecode` makes them, so that a name in any encoding survives.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        leave_surrounding_git()
        self.env = dict(os.environ)
        self.env |= _ENVIRONMENT | dict(env or {})

    def __call__(self, *arguments: str, stdin: bytes = b"", ok: Iterable[int] = (0,)) -> bytes:
        """Run `git ARGUMENTS`; return what it prints. Raises `GitError` on other exit codes."""
        try:
            done = subprocess.run(  # git, without a shell
                ["git", *_OPTIONS, *arguments],  # the one on PATH
                input=stdin,
                capture_output=True,
                cwd=self.folder,
                env=self.env,
                check=False,
            )
        except FileNotFoundError:
            if not self.folder.exists():
                raise
            raise PlatformError("git is not on PATH.", "Install git 2.38 or later.", 2) from None
        if done.returncode not in ok:
            said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace")
            raise GitError(f"git {' '.join(arguments[:3])}: {said}")
        return done.stdout

    def authored(self, *arguments: str) -> bytes:
        """Run a command that commits; where git does not know the user, as the platform."""
        try:
            return self(*arguments)
        except GitError:
            return Git(self.folder, self.env | PLATFORM)(*arguments)

    def line(self, *arguments: str) -> str:
        """The output's only line, decoded as a path would be."""
        return os.fsdecode(self(*arguments)).rstrip("\n")

    def attempt(self, *arguments: str) -> str | None:
        """The output's only line, or None where git fails."""
        try:
            return self.line(*arguments)
        except GitError:
            return None

    def path(self, name: str) -> Path:
        """Where git keeps `name` for this work tree (`git rev-parse --git-path`)."""
        return (self.folder / self.line("rev-parse", "--git-path", name)).absolute()

    def stay(self, *arguments: str) -> tuple[IO[bytes], IO[bytes]]:
        """Start a command that stays, as long as this object; return its input and its output."""
        process = subprocess.Popen(  # git, without a shell
            ["git", *_OPTIONS, *arguments],  # the one on PATH
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            env=self.env,
        )
        weakref.finalize(self, _end, process)
        return cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:
        pass
