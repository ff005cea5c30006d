"""The update under `copier update`: what `_migrations` in copier.yml runs before and after it.

    python copier_hook.py TEMPLATE ANSWERS_FILE      in the project; the environment has STAGE

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

# Copier starts this file by its path, with no package around it.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from platform_tools.errors import PlatformError  # noqa: E402
from platform_tools.terminal import say  # noqa: E402
from platform_tools.update import checks, landing, report, result, source, transaction  # noqa: E402
from platform_tools.update.git import Git, GitError  # noqa: E402
from platform_tools.update.index import editing  # noqa: E402
from platform_tools.update.plan import Computed, Plan  # noqa: E402
from platform_tools.update.project import Project  # noqa: E402
from platform_tools.update.render import read_answers, template_paths  # noqa: E402
from platform_tools.update.state import Folder, State  # noqa: E402
from platform_tools.update.trees import (  # noqa: E402
    Entry,
    Repository,
    Tree,
    index_info,
    is_file,
    opened,
)

_COPIERS_CONFLICT = b"<<<<<<< before updating"


def main(template: str, answers_file: str) -> int:
    """Run the stage that Copier is at; return the exit code."""
    root = Path.cwd()
    try:
        folder = Folder(root)
        with folder.locked():
            if os.environ["STAGE"] == "before":
                return before(folder, Path(template), answers_file)
            return after(folder)
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
    shutil.copytree(Path(__file__).parents[1], folder.engine / "platform_tools", dirs_exist_ok=True)
    request = transaction.Request(
        str(folder.root),
        str(template),
        "HEAD",
        str(project.answers["_src_path"]),
        verify=False,
        answers_file=answers_file,
    )
    state = State("copier", "copier", project.head, asdict(request))
    patterns = set(template_paths(request.release(), answers_file)) | {answers_file}
    old = source.release(template, str(project.answers["_commit"]), "")
    if old:
        patterns |= set(template_paths(old, answers_file))
    state.patterns = sorted(patterns)
    landing.save(folder, state, landing.matching(folder.root, state.patterns))
    folder.save(state)
    say("If this is interrupted, bring everything back with: uv run platform update --abort")
    say(f"or, where that does not start: {_by_engine(folder)} update --abort")
    landing.set_aside(folder, state, _in_the_way(folder.root, state.patterns))
    _hide_others(folder, project, state)
    _rename_questions(folder, project, request)
    return 0


def _check_object_format(root: Path) -> None:
    """Raises `PlatformError` where the repositories that Copier makes cannot read the project's."""
    with TemporaryDirectory() as made:
        Git(Path(made))("init", "--quiet", "--template=")
        default, own = (opened(folder).git.objects[0] for folder in (Path(made), root))
    if own != default:
        raise PlatformError(
            f"Copier's own updates do not work in a repository with {own} objects.",
            f"Next: uv run platform update, or\nGIT_DEFAULT_HASH={own} copier update --trust",
            2,
        )


def after(folder: Folder) -> int:
    """Undo all that Copier did, and put the engine's result in its place."""
    state = folder.load()
    if not state or state.door != "copier" or state.phase != "copier":
        raise PlatformError(
            "The update was not prepared: the project is as Copier left it.",
            "Undo it: git reset --hard. Then run the update again.",
        )
    request = transaction.Request(**state.request)
    answers = read_answers((folder.root / request.answers_file).read_bytes())
    copies = folder.path.with_name(f"platform-update-{int(time.time())}")
    changed = landing.copy_changed(folder, state, copies)
    landing.restore(folder, state)
    state.phase, state.patterns, state.moved = "started", [], []
    folder.save(state)
    project = request.project
    computed = transaction.compute_plan(project, request, folder.make_project(), answers)
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
        platform = _by_engine(folder) if tools else "uv run platform"
        say(
            f"Next: {platform} resolve (or edit and git add), then\n"
            f"{platform} update --continue\n"
            f"Undo: {platform} update --abort"
        )
    return code or (1 if failed else 0)


def _by_engine(folder: Folder) -> str:
    """The `platform` command of the update's own tools, whatever state the project's are in."""
    return f"PYTHONPATH={shlex.quote(str(folder.engine))} {sys.executable} -m platform_tools.cli"


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
    release, old = request.release(), str(project.answers["_commit"])
    names = source.declared(release.repository, old, release).questions
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


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
