"""The update under `copier update`: what `_migrations` in copier.yml runs before and after it.

Copier overwrites, patches and deletes in the project's files. Before it begins, everything that it
could touch is saved, and what would stop it half-way is moved aside. When it has ended, all of that
is put back, and the engine's own result takes its place: in the files, not committed, with
conflicts in git's index. The exit code is not 0 while anything is unresolved.
"""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml  # type: ignore[import-untyped]

from extensions.update import transaction
from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.project import Project
from extensions.update.inputs.render import read_answers, template_paths
from extensions.update.landing import files as landing
from extensions.update.landing import kept, result
from extensions.update.landing import verification as checks
from extensions.update.landing.index import editing
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import Git, GitError
from extensions.update.objects.repository import Repository
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Entry, Tree, index_info, is_file
from extensions.update.report import text as report
from extensions.update.report.plan import Computed, Plan
from extensions.update.terminal import say

_COPIERS_CONFLICT = b"<<<<<<< before updating"


def main(template: str, answers_file: str) -> int:
    """Run the stage that Copier is at, which the variable STAGE names; return the exit code."""
    root = Path.cwd()
    try:
        folder = Folder(root)
        with folder.locked():
            if os.environ["STAGE"] == "before":
                return before(folder, Path(template), answers_file)
            with CopierWorker() as copier:
                return after(copier, folder)
    except (GitError, OSError) as error:
        say(f"\nError: {error}\nUndo: uv run platform update --abort", "bad")
        return 1
    except PlatformError as error:
        say(f"\nError: {error.message}", "bad")
        say(error.hint)
        return error.code


def before(folder: Folder, template: Path, answers_file: str) -> int:
    """Save what Copier could touch, and clear its way."""
    _forget_finished(folder)
    project = Project(folder.root, answers_file)
    project.check()
    project.check_committed()
    _check_object_format(folder.root)
    request = transaction.Request(
        str(folder.root),
        str(template),
        "HEAD",
        str(project.answers["_src_path"]),
        verify=False,
        answers_file=answers_file,
    )
    release = request.release
    engine = kept.copy(folder.engines, release.oid)
    state = State("copier", "copier", project.head, asdict(request), engine=engine.name)
    patterns = set(template_paths(release, answers_file)) | {answers_file}
    if old := release.template.release(str(project.answers["_commit"])):
        patterns |= set(template_paths(old, answers_file))
    state.patterns = sorted(patterns)
    landing.save(folder, state, landing.matching(folder.root, state.patterns))
    folder.save(state)
    say("If this is interrupted, bring everything back with: uv run platform update --abort")
    say(f"or, where that does not start: {_by_engine(folder, state)} abort")
    landing.set_aside(folder, state, _in_the_way(folder.root, state.patterns))
    _hide_others(folder, project, state)
    _rename_questions(folder, project, request)
    return 0


def _check_object_format(root: Path) -> None:
    """Raises `PlatformError` where the repositories that Copier makes cannot read the project's."""
    with TemporaryDirectory() as made:
        Git(Path(made))("init", "--quiet", "--template=")
        default, own = (ObjectStore(folder).format for folder in (Path(made), root))
    if own != default:
        raise PlatformError(
            f"Copier's own updates do not work in a repository with {own} objects.",
            f"Next: uv run platform update, or\nGIT_DEFAULT_HASH={own} copier update --trust",
            2,
        )


def after(copier: CopierWorker, folder: Folder) -> int:
    """Undo all that Copier did, and put the engine's result in its place."""
    state = folder.load()
    if not state or state.door != "copier" or state.phase != "copier":
        raise PlatformError(
            "The update was not prepared: the project is as Copier left it.",
            "Undo it: git reset --hard. Then run the update again.",
        )
    copier.start()
    request = transaction.Request(**state.request)
    answers = read_answers((folder.root / request.answers_file).read_bytes())
    copies = folder.path.with_name(f"platform-update-{int(time.time())}")
    changed = landing.copy_changed(folder, state, copies)
    landing.restore(folder, state)
    state.phase, state.patterns, state.moved = "started", [], []
    folder.save(state)
    project = request.project
    computed = transaction.compute_plan(copier, project, request, folder.make_project(), answers)
    _tell_written_meanwhile(computed, changed, copies, request.answers_file)
    if computed.plan.empty:
        folder.clear()
        return 0
    transaction.make_ready(folder, state, computed)
    plan, repository = computed.plan, computed.repository
    failed = None
    if state.conflicts:
        state.rebuild = plan.rebuild
    elif plan.rebuild:
        try:
            checks.run(folder, state, plan, repository, verify=False)
        except PlatformError as error:
            failed, state.rebuild = error, plan.rebuild
    ours, tree = computed.ours, repository.read(state.tree)
    result.write_report(state, repository, ours, tree, report.markdown(plan))
    result.place(folder, state, repository, ours, tree)
    stages = _stages_commit(repository, computed.merged.conflicts)
    landed = repository.commit(tree)
    repository.send(folder.path.parent, state.start, state.theirs, stages, landed)
    code = transaction.finish(folder, state, project, repository)
    return _tell(folder, plan, state, code, failed)


def _tell_written_meanwhile(
    computed: Computed, changed: Mapping[str, bytes], copies: Path, answers_file: str
) -> None:
    """Drop the copies of what Copier has written; name those of what somebody else has."""
    computed_trees = (computed.theirs, computed.merged.tree)
    left = []
    for path, contents in changed.items():
        known = {
            computed.repository.blob(tree[path].oid) for tree in computed_trees if path in tree
        }
        if contents in known or _COPIERS_CONFLICT in contents or path == answers_file:
            (copies / path).unlink()
        else:
            left.append(path)
    if left:
        say(
            f"These were changed while Copier was at work, by you or by a merge of its own. They\n"
            f"are as they were before it or as the update makes them; what they held then is in\n"
            f"{copies}\n" + "\n".join(f"  {path}" for path in left),
            "warn",
        )
    else:
        shutil.rmtree(copies, ignore_errors=True)


def _tell(folder: Folder, plan: Plan, state: State, code: int, failed: PlatformError | None) -> int:
    say(report.terminal(plan, ("merged", "replaced", "renamed", "removed", "rebuilt")))
    say(f"Report: {state.report}")
    if failed:
        say(f"\n{failed.message}", "bad")
        say(
            "Next: uv run platform update --continue, which tries again\n"
            "Undo: uv run platform update --abort"
        )
    if state.conflicts:
        say(
            f"\n{len(state.conflicts)} in conflict:\n{report.conflicts(plan, state.conflicts)}",
            "bad",
        )
        tools = any(path.startswith("scripts/customer-tools/") for path in state.conflicts)
        by_engine = _by_engine(folder, state)
        go_on, undo = "uv run platform update --continue", "uv run platform update --abort"
        say(
            "Next: uv run platform resolve (or edit and git add), then\n"
            f"{f'{by_engine} continue' if tools else go_on}\n"
            f"Undo: {f'{by_engine} abort' if tools else undo}"
        )
    return code or (1 if failed else 0)


def _by_engine(folder: Folder, state: State) -> str:
    """The command of the kept engine, whatever state the project's tools are in."""
    program = folder.engines / state.engine / kept.PROGRAM
    return f"{sys.executable} {shlex.quote(str(program))}"


def _forget_finished(folder: Folder) -> None:
    """Drop what is left of an earlier update whose result was committed since."""
    state = folder.load()
    if state and state.phase != "started":
        done = state.phase == "landed" and Git(folder.root).line("rev-parse", "HEAD") != state.start
        if not done:
            raise PlatformError(
                "An update is unfinished.",
                "Go on: uv run platform update --continue\nGive up: uv run platform update --abort",
            )
    folder.empty()


def _in_the_way(root: Path, patterns: list[str]) -> list[str]:
    """What would stop Copier: a folder or a link where it has a file, a file where it has a folder;
    the .rej files that it would take for its own; and names that it cannot read."""
    found = set()
    for path in patterns:
        if "*" in path:
            continue
        for parent in list(Path(path).parents)[-2::-1]:
            place = root / parent
            if is_file(place):
                found.add(str(parent))
                break
        else:
            if (root / path).is_dir():
                found.add(path)
    found |= _stumbling_blocks(root)
    return sorted(one for one in found if not any(str(up) in found for up in Path(one).parents))


def _stumbling_blocks(root: Path) -> set[str]:
    """The .rej files and the names that are not UTF-8 of the whole repository, relative to root."""
    top = Path(Git(root).line("rev-parse", "--show-toplevel"))
    git = Git(top)
    tracked = git("ls-files", "-z").split(b"\0")[:-1]
    others = git("status", "--porcelain", "-z", "--ignored").split(b"\0")[:-1]
    names = [*tracked, *(line[3:] for line in others if line.startswith((b"?? ", b"!! ")))]
    paths = [top / os.fsdecode(name) for name in names if name.endswith(b".rej") or _odd(name)]
    return {os.path.relpath(path, root) for path in paths if os.path.lexists(path)}


def _odd(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return False


def _rename_questions(folder: Folder, project: Project, request: transaction.Request) -> None:
    """Let Copier's questions begin with the answers that had another name."""
    names = request.release.declared(str(project.answers["_commit"])).questions
    answers = {names.get(name, name): value for name, value in project.answers.items()}
    if answers != project.answers:
        text = yaml.safe_dump(answers, sort_keys=False, allow_unicode=True)
        (folder.root / project.answers_file).write_text(text, encoding="utf-8")


def _hide_others(folder: Folder, project: Project, state: State) -> None:
    """Take what the template does not know out of the index: Copier would apply it as a patch."""
    top = Path(project.git.line("rev-parse", "--show-toplevel"))
    known = {project.prefix + path for path in state.touched}
    none = Entry("0", "0" * len(state.start))
    with editing(folder, top) as git:
        paths = [os.fsdecode(path) for path in git("ls-files", "-z").split(b"\0")[:-1]]
        records = index_info((none, path) for path in paths if path not in known)
        git("update-index", "-z", "--index-info", stdin=records)


def _stages_commit(repository: Repository, conflicts: dict[str, dict[int, Entry]]) -> str:
    """A commit that holds the blobs of all stages, so that they can be sent."""
    tree: Tree = {
        f"{number}/{stage}": entry
        for number, stages in enumerate(conflicts.values())
        for stage, entry in stages.items()
    }
    return repository.commit(tree)
