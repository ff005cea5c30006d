"""Verifies the new project before it lands: rebuilds lock files, runs `platform verify`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership
from extensions.update.landing.failures import Failures
from extensions.update.landing.state import Folder, State
from extensions.update.merging.lines import Conflicts
from extensions.update.merging.notes import Note
from extensions.update.objects.git import Git, GitError
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Tree
from extensions.update.report.plan import Plan
from extensions.update.terminal import say, show

SETUP = Path("scripts", "customer-tools", "setup.py")
_PLATFORM = Path(".venv", "bin", "platform")
_LAID_OUT = "refs/platform/laid-out"  # the files of project/ when they were written
_UNREACHABLE = 3  # of setup.py: a package index is out of reach
_FAILED = "platform verify fails in the new version"


def run(
    folder: Folder, state: State, plan: Plan, repository: Repository, *, verify: bool
) -> tuple[Plan, str]:
    """Rebuild, then verify; bring `state.tree` up to date.

    Returns the plan with what this changed, and a sentence for the report. Raises `PlatformError`
    when a step fails; `--continue` tries again.
    """
    if not plan.rebuild and not verify:
        return _take(folder, state, plan, repository), "Not verified."
    if not state.full:
        lay_out(state, repository, repository.read(state.tree))
        folder.save(state)
    if not (folder.project / SETUP).exists():
        return _take(folder, state, plan, repository), "Not verified."
    with _keeping_claimed(folder, state, folder.project):
        if plan.rebuild:
            _rebuild(folder, folder.project, plan.rebuild)
        if verify:
            say("Preparing the new version, to verify it …")
            failed = "The new version cannot be set up"
            _run(folder, folder.project, failed, sys.executable, str(SETUP))
            plan = _generate(folder, plan)
    plan = _take(folder, state, plan, repository)
    if not verify:
        return plan, "Not verified."
    say("platform verify …")
    code, output = _verify(folder, folder.project)
    if code:
        say(_before(folder, Failures.of(output)))
        raise _error(folder, folder.project, _FAILED, code)
    return plan, "`platform verify` passed."


def _before(folder: Folder, failures: Failures) -> str:
    """Say which of the failures the project has without the update; it is verified once."""
    if not (folder.root / _PLATFORM).exists():
        return "To see what failed before the update, run `make verify` in your project."
    kept = folder.path / "verified-before.txt"
    if not kept.exists():
        say("platform verify in your project, to see what failed before the update …")
        _, output = _verify(folder, folder.root, shown=False)
        kept.write_text(output, encoding="utf-8")
    return failures.since(Failures.of(kept.read_text(encoding="utf-8")))


def _verify(folder: Folder, root: Path, *, shown: bool = True) -> tuple[int, str]:
    """The exit code of `platform verify` in `root`, and what it prints."""
    # On a narrow terminal, older versions break the line that names the failed steps.
    wide = {} if shown else {"COLUMNS": "1000"}
    process = subprocess.Popen(
        [root / _PLATFORM, "verify"],
        cwd=root,
        env=_environment(folder) | wide,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines = []
    with process:
        for line in process.stdout or ():
            lines.append(line)
            if shown:
                show(line.rstrip("\n"))
    return process.returncode, "".join(lines)


def _generate(folder: Folder, plan: Plan) -> Plan:
    """Run the commands of generated files that only the project's code can make."""
    notes = plan.notes_of(["regenerate"])
    for note in notes:
        say(f"Generating {note.path} …")
        failed = f"{note.path} cannot be generated"
        _run(folder, folder.project, failed, "sh", "-c", note.detail)
    if not notes:
        return plan
    return replace(
        plan,
        files=[
            replace(file, status="rebuilt") if file.status == "replaced" else file
            for file in plan.files
        ],
        notes=[note for note in plan.notes if note.kind not in ("regenerate", "replaced")],
    )


def rebuild_landed(folder: Folder, state: State) -> None:
    """Rebuild lock files in the project itself, after the landing."""
    if state.rebuild:
        with _keeping_claimed(folder, state, folder.root):
            _rebuild(folder, folder.root, state.rebuild)


def _rebuild(folder: Folder, root: Path, paths: list[str]) -> None:
    say(f"Rebuilding {', '.join(paths)} …")
    failed = f"{', '.join(paths)} cannot be rebuilt"
    _run(folder, root, failed, sys.executable, str(SETUP), "--locks")


@contextmanager
def _keeping_claimed(folder: Folder, state: State, root: Path) -> Iterator[None]:
    """Keep claimed generated files in `root` as they are: the set-up rebuilds all lock files."""
    ownership = Ownership.of(Git(folder.root), state.start)
    kept = {
        root / path: (root / path).read_bytes()
        for path in os.fsdecode(Git(root)("ls-files", "-z")).split("\0")[:-1]
        if ownership.listed_zone(path) == "generated"
        and ownership.claims(path)
        and (root / path).is_file()
    }
    try:
        yield
    finally:
        for path, contents in kept.items():
            if not path.exists() or path.read_bytes() != contents:
                path.write_bytes(contents)


def lay_out(
    state: State,
    repository: Repository,
    tree: Tree,
    conflicts: Conflicts | None = None,
) -> None:
    """Write the whole result to project/, where it is verified and the user can edit it."""
    try:
        repository.check_out(tree, conflicts)
    except GitError:
        # A filter may need what only the customer's repository has, such as a key.
        repository.drop_filters()
        repository.check_out(tree, conflicts)
    written = repository.store_files(repository.folder, tree)
    repository.git("update-ref", _LAID_OUT, repository.commit(written))
    state.full = True


def _take(folder: Folder, state: State, plan: Plan, repository: Repository) -> Plan:
    """Take over what was created and changed in project/ since it was laid out; return the plan.

    `git add` is not enough: it would also take what a new filter or attribute makes of other files.
    """
    if not state.full:
        return plan
    before = repository.read(_LAID_OUT)
    ownership = Ownership.of(Git(folder.root), state.start)
    git = repository.git
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    now = repository.store_files(repository.folder, sorted({*map(os.fsdecode, listed)} - {""}))
    changed = sorted(
        path
        for path in {*before, *now}
        # Generated files that the set-up adds are not taken.
        if now.get(path) != before.get(path)
        and (path in before or ownership.listed_zone(path) != "generated")
    )
    mended = [
        Note("mended", path)
        for path in changed
        if path not in state.conflicts and ownership.zone(path) != "generated"
    ]
    stdin = b"".join(os.fsencode(path) + b"\0" for path in changed)
    git("update-index", "-z", "--add", "--remove", "--replace", "--stdin", stdin=stdin)
    state.tree = git.line("write-tree")
    folder.save(state)
    return replace(plan, notes=[*plan.notes, *mended])


def _run(folder: Folder, root: Path, failed: str, *command: str) -> None:
    done = subprocess.run(command, cwd=root, env=_environment(folder), check=False)
    if done.returncode:
        raise _error(folder, root, failed, done.returncode)


def _environment(folder: Folder) -> dict[str, str]:
    """The environment of the project's own tools."""
    environment = dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PYTHONPATH", None)
    own_uv = folder.root / ".cache" / "uv" / "bin"
    environment["PATH"] = f"{environment.get('PATH', '')}{os.pathsep}{own_uv}"
    return environment


def _error(folder: Folder, root: Path, failed: str, code: int) -> PlatformError:
    away = "\nA package index is out of reach." if code == _UNREACHABLE else ""
    hint = "Fix it or try again later: uv run platform update --continue"
    if root == folder.project:
        hint = (
            f"Your project is untouched; the new version is in\n  {root}\n"
            "Fix it there or try again later: uv run platform update --continue"
        )
    if failed == _FAILED:
        hint += "\nAccept it as it is: uv run platform update --continue --no-verify"
    return PlatformError(
        f"{failed} (see above).{away}", f"{hint}\nUndo: uv run platform update --abort"
    )
