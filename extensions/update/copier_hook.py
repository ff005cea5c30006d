"""Copier's door: `_migrations` in copier.yml runs this before and after `copier update`.

Copier overwrites, patches and deletes the project's files. `before` saves every file that Copier
could touch, and moves aside what would stop it half-way. `after` puts all of that back, and then
lands the engine's result: in the files, not committed, with conflicts in git's index. The exit code
is not 0 while conflicts are left.
"""

import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml  # type: ignore[import-untyped]

from extensions.update.errors import PlatformError
from extensions.update.inputs.access import check_writable
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.obstacles import obstacles
from extensions.update.inputs.project import REPORTS, Project
from extensions.update.inputs.render import Renderer, read_answers, template_paths
from extensions.update.inputs.template import Release
from extensions.update.landing import files, kept, result, verification
from extensions.update.landing.finish import finish
from extensions.update.landing.index import editing
from extensions.update.landing.state import Folder, State
from extensions.update.merging.lines import Conflicts
from extensions.update.objects.git import Git, GitError
from extensions.update.objects.repository import Repository
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Entry, Tree, index_info
from extensions.update.planning import Computed, check_edited, compute, wanted_release
from extensions.update.report import text as report
from extensions.update.report.plan import Plan
from extensions.update.request import Request
from extensions.update.terminal import say
from extensions.update.transaction import make_ready, over

_COPIERS_CONFLICT = b"<<<<<<< before updating"


def main(template: str, answers_file: str, data: str = "{}") -> int:
    """Run the stage of the update, from the variable STAGE; return the exit code.

    `data` are the answers of Copier's `--data` and `--data-file`, as JSON.
    """
    root = Path.cwd()
    try:
        folder = Folder(root)
        with folder.locked(), CopierWorker() as copier:
            if os.environ["STAGE"] == "before":
                return before(copier, folder, Path(template), answers_file, json.loads(data))
            return after(copier, folder)
    except (GitError, OSError) as error:
        say(f"\nError: {error}\nUndo: uv run platform update --abort", "bad")
        return 1
    except PlatformError as error:
        say(f"\nError: {error.message}", "bad")
        say(error.hint)
        return error.code


def before(
    copier: CopierWorker, folder: Folder, template: Path, answers_file: str, data: dict[str, Any]
) -> int:
    """Save what Copier could touch, and move aside what would stop it."""
    _forget_finished(folder)
    project = Project(folder.root, answers_file)
    project.check()
    project.check_committed()
    _check_object_format(folder.root)
    _check_quoting(folder.root)
    request = Request(
        "update",
        folder.root,
        template,
        "HEAD",
        str(project.answers["_src_path"]),
        verify=False,
        answers_file=answers_file,
    )
    release = wanted_release(request)
    if data or project.edited_answers:
        _check_answers(copier, project, release, data)
    engine = kept.copy(folder.engines, release.oid)
    kept.forget_others(folder.engines, engine.name)
    state = State("copier", "copier", project.head, request, engine.name, os.getppid())
    state.prefix = project.prefix
    patterns = set(template_paths(release, answers_file)) | {answers_file}
    if old := release.template.release(str(project.answers["_commit"])):
        patterns |= set(template_paths(old, answers_file))
    # With `--conflict rej`, Copier leaves such files.
    patterns |= {f"{pattern}.rej" for pattern in patterns}
    state.patterns = sorted(patterns)
    present = files.matching(folder.root, state.patterns)
    written = [*present, *state.patterns, f"{REPORTS}/report.md"]
    check_writable(folder.root, written, in_place=True)
    files.save(folder, state, present)
    folder.save(state)
    say("If this is interrupted, undo it with: uv run platform update --abort")
    say(f"or, if that does not start or finds no update: {_by_engine(folder, state)} abort")
    files.set_aside(folder, state, obstacles(folder.root, state.patterns))
    _hide_others(folder, project, state)
    _rename_questions(folder, project, release)
    return 0


def _check_answers(
    copier: CopierWorker, project: Project, release: Release, data: Mapping[str, Any]
) -> None:
    """Raises `PlatformError` for a wrong answer, where Copier would stop in the middle."""
    known = _renamed_answers(project, release)
    try:
        renderer = Renderer(copier, project.answers_file, project.root.name, "")
        with TemporaryDirectory() as made:
            repository = Repository.create(
                Path(made, "new"), project.objects, release.template.objects
            )
            tree = renderer.begin(release, known, data)(repository)
            entry = tree.get(project.answers_file)
            accepted = (read_answers(repository.blob(entry.oid)) if entry else None) or {}
    except PlatformError as error:
        # Copier asks for other answers that are missing.
        if any(f"'{name}'" in error.message for name in data):
            raise
    else:
        declared = release.declared(str(project.answers["_commit"]))
        check_edited(project, declared, accepted, data)


def _check_object_format(root: Path) -> None:
    """Raises `PlatformError` if git's new repositories have other objects than the project's."""
    with TemporaryDirectory() as made:
        Git(Path(made))("init", "--quiet", "--template=")
        default, present = (ObjectStore(folder).format for folder in (Path(made), root))
    if present != default:
        raise PlatformError(
            f"copier update does not work in a repository with {present} objects.",
            f"Next: uv run platform update, or\nGIT_DEFAULT_HASH={present} copier update --trust",
            2,
        )


def _check_quoting(root: Path) -> None:
    """Raises `PlatformError` where Copier would take names from git's output that are not quoted.

    It removes quotes that core.quotePath=false leaves out, and then looks for other names.
    """
    git = Git(root)
    if git.attempt("config", "--type=bool", "core.quotePath") != "false":
        return
    top = Git(Path(git.line("rev-parse", "--show-toplevel")))
    names = top("ls-files", "-z") + top("status", "--porcelain", "-z", "--ignored")
    if not names.isascii():
        raise PlatformError(
            "copier update does not work with core.quotePath=false and names that are not ASCII.",
            "Next: uv run platform update, or\nGIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.quotePath "
            "GIT_CONFIG_VALUE_0=true copier update --trust",
            2,
        )


def after(copier: CopierWorker, folder: Folder) -> int:
    """Undo Copier's changes, and land the engine's result instead."""
    state = folder.load()
    if not state or state.door != "copier" or state.phase != "copier":
        raise PlatformError(
            "Copier changed the project without the template's preparation.",
            "Undo it with git reset --hard, then run the update again.",
        )
    copier.start()
    request = state.request
    answers = read_answers((folder.root / request.answers_file).read_bytes())
    copies = folder.path.with_name(f"platform-update-{int(time.time())}")
    changed = files.copy_changed(folder, state, copies)
    files.restore(folder, state)
    state.phase, state.patterns, state.moved = "started", [], []
    folder.save(state)
    project = Project(folder.root, request.answers_file)
    release = wanted_release(request)
    computed = compute(copier, project, release, request, folder.make_project(), answers)
    _name_written_meanwhile(computed, changed, copies, request.answers_file)
    if computed.plan.empty:
        folder.clear()
        return 0
    make_ready(folder, state, computed)
    plan, repository = computed.plan, computed.repository
    failed = None
    if state.conflicts:
        state.rebuild = plan.rebuild
    elif plan.rebuild:
        try:
            plan, _ = verification.run(folder, state, plan, repository, verify=False)
        except PlatformError as error:
            failed, state.rebuild = error, plan.rebuild
    ours, tree = computed.ours, repository.read(state.tree)
    result.write_report(state, repository, ours, tree, report.markdown(plan))
    result.place(folder, state, repository, ours, tree)
    stages = _stages_commit(repository, computed.merged.conflicts)
    landed = repository.commit(tree)
    repository.send(folder.git_folder, state.start, state.theirs, stages, landed)
    code = finish(folder, state, project, repository)
    return _report(folder, plan, state, code, failed)


def _name_written_meanwhile(
    computed: Computed, changed: Mapping[str, bytes], copies: Path, answers_file: str
) -> None:
    """Remove the copies of Copier's own changes; name the others."""
    computed_trees = (computed.theirs, computed.merged.tree)
    left = []
    for path, contents in changed.items():
        known = {
            computed.repository.blob(tree[path].oid) for tree in computed_trees if path in tree
        }
        copiers = path == answers_file or path.endswith(".rej") or _COPIERS_CONFLICT in contents
        if contents in known or copiers:
            (copies / path).unlink()
        else:
            left.append(path)
    if left:
        say(
            "Changed while Copier was running. The project has the version from before, or the\n"
            f"update's; the changed copies are in\n{copies}\n"
            + "\n".join(f"  {path}" for path in left),
            "warn",
        )
    else:
        shutil.rmtree(copies, ignore_errors=True)


def _report(
    folder: Folder, plan: Plan, state: State, code: int, failed: PlatformError | None
) -> int:
    say(report.outcome(plan))
    say(f"Report: {state.report}")
    if failed:
        say(f"\n{failed.message}", "bad")
        say("Try again: uv run platform update --continue\nUndo: uv run platform update --abort")
    if state.conflicts:
        say(
            f"\n{len(state.conflicts)} in conflict:\n{report.conflicts(plan, state.conflicts)}",
            "bad",
        )
        tools = any(path.startswith("scripts/customer-tools/") for path in state.conflicts)
        by_engine = _by_engine(folder, state)
        go_on, undo = "uv run platform update --continue", "uv run platform update --abort"
        say(
            "Next: uv run platform resolve (or edit the files and git add them), then\n"
            f"{f'{by_engine} continue' if tools else go_on}\n"
            f"Undo: {f'{by_engine} abort' if tools else undo}"
        )
    return code or (1 if failed else 0)


def _by_engine(folder: Folder, state: State) -> str:
    """The command that starts the kept engine without the project's tools."""
    program = folder.engines / state.engine / kept.PROGRAM
    return f"{sys.executable} {shlex.quote(str(program))}"


def _forget_finished(folder: Folder) -> None:
    """Remove what is left of an earlier update, if its result has been committed."""
    state = folder.load()
    done = not state or state.phase == "started"
    if state and state.phase == "landed":
        done = over(Git(folder.root), state)
    if not done:
        raise PlatformError(
            "An update is unfinished.",
            "Go on: uv run platform update --continue\nUndo: uv run platform update --abort",
        )
    folder.empty()


def _rename_questions(folder: Folder, project: Project, release: Release) -> None:
    """Store the answers under the questions' new names, for Copier's questions."""
    answers = _renamed_answers(project, release)
    if answers != project.answers:
        text = yaml.safe_dump(answers, sort_keys=False, allow_unicode=True)
        (folder.root / project.answers_file).write_text(text, encoding="utf-8")


def _renamed_answers(project: Project, release: Release) -> dict[str, Any]:
    return release.declared(str(project.answers["_commit"])).answers(project.answers)


def _hide_others(folder: Folder, project: Project, state: State) -> None:
    """Remove paths that are not the template's from the index: Copier would patch them."""
    top = Path(project.git.line("rev-parse", "--show-toplevel"))
    known = {project.prefix + path for path in state.touched}
    none = Entry("0", "0" * len(state.start))
    with editing(folder, top) as git:
        paths = [os.fsdecode(path) for path in git("ls-files", "-z").split(b"\0")[:-1]]
        records = index_info((none, path) for path in paths if path not in known)
        git("update-index", "-z", "--index-info", stdin=records)


def _stages_commit(repository: Repository, conflicts: Conflicts) -> str:
    """A commit with the blobs of all stages, to send them to the project's repository."""
    tree: Tree = {
        f"{number}/{stage}": entry
        for number, stages in enumerate(conflicts.values())
        for stage, entry in stages.items()
    }
    return repository.commit(tree)
