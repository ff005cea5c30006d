"""git's commands, in bytes."""

from __future__ import annotations

import os
import subprocess
import weakref
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

from extensions.update.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# A git hook or alias sets these for its commands; here they would lead to another repository.
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
# Hooks expect the customer's own work, and the template's clone is bare.
_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "core.fsmonitor=false"),
    *("-c", "safe.bareRepository=all"),
)
# Optional locks would change the index.
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LFS_SKIP_SMUDGE": "1"}

# The author where git has no user, and of internal commits.
PLATFORM = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "platform update"), ("EMAIL", "platform-update@localhost"))
}


def leave_surrounding_git() -> None:
    """Remove from this process's environment what a git hook or alias has set."""
    for name in _INHERITED:
        os.environ.pop(name, None)


class GitError(PlatformError):
    """git failed: its command and what it said."""


class Git:
    """Runs git in one folder.

    Paths are `str` as `os.fsdecode` makes them, so that a name in any encoding survives. `env` adds
    variables to those of this process.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.env = dict(os.environ) | _ENVIRONMENT | dict(env or {})

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
        """Run a command that commits; where git has no user, with the author `PLATFORM`."""
        try:
            return self(*arguments)
        except GitError:
            return Git(self.folder, self.env | PLATFORM)(*arguments)

    def line(self, *arguments: str) -> str:
        """The output without its last line break, decoded like a path."""
        return os.fsdecode(self(*arguments)).rstrip("\n")

    def attempt(self, *arguments: str) -> str | None:
        """As `line`, or None where git fails."""
        try:
            return self.line(*arguments)
        except GitError:
            return None

    def path(self, name: str) -> Path:
        """Where git keeps `name` for this work tree (`git rev-parse --git-path`)."""
        return (self.folder / self.line("rev-parse", "--git-path", name)).absolute()


class Batch:
    """A git command that stays and replies to requests, one after the other.

    It ends with this object. One thread at a time may use it.
    """

    def __init__(self, git: Git, *arguments: str) -> None:
        self._command = " ".join(arguments)
        process = subprocess.Popen(  # git, without a shell
            ["git", *_OPTIONS, *arguments],  # the one on PATH
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=git.folder,
            env=git.env,
        )
        self._requests = cast("IO[bytes]", process.stdin)
        self._replies = cast("IO[bytes]", process.stdout)
        weakref.finalize(self, _end, process)

    def ask(self, request: bytes) -> bytes:
        """Send a request; return the first line of the reply. Raises `GitError` at its end."""
        with suppress(BrokenPipeError):
            self._requests.write(request)
            self._requests.flush()
        if not (line := self._replies.readline()):
            raise GitError(f"git {self._command} has ended (see above)")
        return line.rstrip(b"\n")

    def read(self, size: int) -> bytes:
        """The next `size` bytes of the reply."""
        return self._replies.read(size)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError), process:
        pass
