"""What runs in the new project before it lands: rebuilding lock files, `platform verify`."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import GitError
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, Tree
from extensions.update.report.plan import Plan
from extensions.update.terminal import say

SETUP = Path("scripts", "customer-tools", "setup.py")
_LAID_OUT = "refs/platform/laid-out"  # project/ as it was written, without filters
_UNREACHABLE = 3  # of setup.py: a package index is out of reach
_FAILED = "A check of the new version fails"


def run(folder: Folder, state: State, plan: Plan, repository: Repository, *, verify: bool) -> str:
    """Rebuild, then verify; bring `state.tree` up to date. Returns a sentence for the report.

    Raises `PlatformError` when a step fails; `--continue` tries again.
    """
    if not plan.rebuild and not verify:
        return _take(folder, state, plan, repository)
    if not state.full:
        lay_out(state, repository, repository.read(state.tree))
        folder.save(state)
    has_setup = (folder.project / SETUP).exists()
    if plan.rebuild and has_setup:
        rebuild(folder, folder.project, plan.rebuild)
    if verify and has_setup:
        say("Preparing the new version, to check it …")
        _run(folder, folder.project, "The new version cannot be set up", sys.executable, str(SETUP))
        _generate(folder, plan)
    said = _take(folder, state, plan, repository)
    if verify and has_setup:
        say("platform verify …")
        _run(folder, folder.project, _FAILED, ".venv/bin/platform", "verify")
        said = "`platform verify` passed."
    return said


def _generate(folder: Folder, plan: Plan) -> None:
    """Make again what only the project's own code can make, and say so in the plan."""
    notes = [note for note in plan.notes if note["kind"] == "regenerate"]
    for note in notes:
        say(f"Generating {note['path']} …")
        failed = f"{note['path']} cannot be generated"
        _run(folder, folder.project, failed, "sh", "-c", note["detail"])
    if notes:
        plan.notes = [one for one in plan.notes if one["kind"] not in ("regenerate", "replaced")]
        for file in plan.files:
            file["status"] = file["status"].replace("replaced", "rebuilt")


def rebuild(folder: Folder, root: Path, paths: list[str]) -> None:
    """Make the lock files in `root` again: project/, or the project itself once it has landed."""
    if paths:
        say(f"Rebuilding {', '.join(paths)} …")
        failed = f"{', '.join(paths)} cannot be rebuilt"
        _run(folder, root, failed, sys.executable, str(SETUP), "--locks")


def lay_out(
    state: State,
    repository: Repository,
    tree: Tree,
    conflicts: Mapping[str, Mapping[int, Entry]] | None = None,
) -> None:
    """Write the whole result to project/, for checks to run and the user to work in."""
    try:
        repository.check_out(tree, conflicts)
    except GitError:
        # A filter that needs what only the customer's own repository has, such as a key.
        repository.drop_filters()
        repository.check_out(tree, conflicts)
    written = repository.store_files(repository.folder, tree)
    repository.git("update-ref", _LAID_OUT, repository.commit(written))
    state.full = True


def _take(folder: Folder, state: State, plan: Plan, repository: Repository) -> str:
    """Take over what was made and changed in project/, and nothing else.

    `git add` would also take what a new filter or attribute makes of files that nobody touched.
    """
    if state.full:
        before, zone = repository.read(_LAID_OUT), Ownership.load().zone
        git = repository.git
        listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
        now = repository.store_files(repository.folder, sorted({*map(os.fsdecode, listed)} - {""}))
        changed = sorted(
            path
            for path in {*before, *now}
            # What the set-up makes is not taken; what it makes again is.
            if now.get(path) != before.get(path) and (path in before or zone(path) != "generated")
        )
        stdin = b"".join(os.fsencode(path) + b"\0" for path in changed)
        git("update-index", "-z", "--add", "--remove", "--replace", "--stdin", stdin=stdin)
        plan.notes += [
            {"kind": "mended", "path": path, "detail": ""}
            for path in changed
            if path not in state.conflicts and zone(path) != "generated"
        ]
        state.tree = git.line("write-tree")
        folder.save(state)
    return "Not verified."


def _run(folder: Folder, root: Path, failed: str, *command: str) -> None:
    environment = dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PYTHONPATH", None)
    own_uv = folder.root / ".cache" / "uv" / "bin"
    environment["PATH"] = f"{environment.get('PATH', '')}{os.pathsep}{own_uv}"
    program = root / command[0] if command[0].startswith(".") else Path(command[0])
    done = subprocess.run(  # the project's own tools
        [program, *command[1:]], cwd=root, env=environment, check=False
    )
    if done.returncode:
        away = "\nA package index is out of reach." if done.returncode == _UNREACHABLE else ""
        hint = "Mend it or come back later: uv run platform update --continue"
        if root == folder.project:
            hint = (
                f"Your project is untouched; the new version is in\n  {root}\n"
                "Mend it there or come back later: uv run platform update --continue"
            )
        if failed == _FAILED:
            hint += "\nLand it as it is: uv run platform update --continue --no-verify"
        raise PlatformError(
            f"{failed} (see above).{away}", f"{hint}\nGive up: uv run platform update --abort"
        )
