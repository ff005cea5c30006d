"""An update from start to end, `--continue` and `--abort`.

Exit codes of every function: 0 done or nothing to do, 3 conflicts are left. Anything else raises
`PlatformError`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from extensions.update.errors import PlatformError
from extensions.update.inputs.access import check_writable
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.project import Project
from extensions.update.landing import kept, verification
from extensions.update.landing.files import put_back, restore, take_back
from extensions.update.landing.finish import CONFLICTS, finish
from extensions.update.landing.index import clear_stale, stage_hidden
from extensions.update.landing.result import prepare_commit, resolution
from extensions.update.landing.state import Folder, State
from extensions.update.merging.lines import OURS, THEIRS
from extensions.update.objects.git import Git
from extensions.update.objects.repository import Repository
from extensions.update.planning import Computed, checked_project, compute, wanted_release
from extensions.update.report import text as report
from extensions.update.request import Request
from extensions.update.resolve import file_oid, resolved_by_hand
from extensions.update.terminal import say

_RESULT = "refs/platform/result"
_MARKERS = {f"<<<<<<< {OURS}".encode(), f">>>>>>> {THEIRS}".encode()}


def update(copier: CopierWorker, request: Request) -> int:
    """Update the project; leave it as it was when that fails."""
    folder = Folder(request.root, request.template)
    try:
        release = wanted_release(request)
        project = checked_project(request, release)
        project.check_committed()
        folder.empty()
        state = State("platform", "started", project.head, request, kept.running())
        state.prefix = project.prefix
        folder.save(state)
        kept.forget_others(folder.engines, state.engine)
        computed = compute(copier, project, release, request, folder.make_project())
        if computed.plan.empty:
            folder.clear()
            say(f"Nothing to do: the project is at {computed.plan.new}.", "good")
            return 0
        paths = [file.path for file in computed.plan.files]
        check_writable(folder.root, [*paths, report.path_for(computed.plan, computed.ours)])
        make_ready(folder, state, computed)
    except BaseException:
        folder.clear()
        raise
    return _advance(folder, state, project, computed.repository, verify=request.verify)


def proceed(copier: CopierWorker, root: Path, verify: bool) -> int:
    """`--continue`: go on from wherever the update stopped."""
    folder = Folder(root)
    state = _unfinished(folder)
    # The project may have another path by now, as in a container.
    request = replace(state.request, root=root)
    if state.door == "platform":
        request = replace(request, template=folder.template)
    if state.door == "copier" and state.phase in ("started", "copier", "ready"):
        # Copier has removed its clone of the template.
        abort(root)
        raise PlatformError(
            "Copier stopped too early for the update to go on.",
            "Run the update again: uv run platform update, or copier update --trust",
        )
    gone = not folder.project.exists()
    if state.phase == "started" or (state.phase == "ready" and gone):
        return update(copier, request)
    if state.phase == "landing" and gone:
        raise PlatformError(f"{folder.project} is gone.", "Undo: uv run platform update --abort")
    project = Project(root, request.answers_file)
    if state.phase == "ready" and project.head != state.start:
        if _committed(project.git, state):
            raise PlatformError(
                "There are new commits since the update began.",
                "Begin again: uv run platform update --abort && uv run platform update",
            )
        state.start = project.head
        folder.save(state)
    verify = verify and request.verify
    return _advance(folder, state, project, Repository(folder.project), verify=verify)


def abort(root: Path) -> int:
    """`--abort`: undo an unfinished update."""
    folder = Folder(root)
    state = _unfinished(folder)
    git = Git(root)
    edited: list[str] = []
    head, committed = git.line("rev-parse", "HEAD"), _committed(git, state)
    if state.phase == "copier" and committed:
        put_back(folder, state)
        hidden = stage_hidden(folder)
        backup = folder.forget_keeping_backup()
        say(
            "There are commits since the update was interrupted: no file was put back.",
            "warn",
        )
        if hidden:
            shown = "\n".join(f"  {path}" for path in hidden[:5]) + ("\n  …" if hidden[5:] else "")
            say(f"These commits removed your own files from git; they are staged again:\n{shown}")
            say("Next: git commit")
        say(f"The files from before the update are in {backup}")
        return 0
    if state.phase in ("landing", "landed"):
        if head == state.commit:
            git("update-ref", "-m", "platform update --abort", "HEAD", state.start, state.commit)
        elif committed:
            raise PlatformError(
                "There are commits after the update: it cannot be undone like this.",
                "Undo it with git revert, or finish it: uv run platform update --continue",
            )
    displaced = folder.path.with_name("platform-update-displaced")
    if state.phase == "landing" and folder.project.exists():
        edited = take_back(folder, state)
    elif state.phase in ("copier", "landing", "landed"):
        restore(folder, state, displaced, moved_on=head != state.start)
        if state.phase == "copier" and head != state.start:
            stage_hidden(folder)
    folder.clear()
    say("The project is as it was before the update.", "good")
    if edited:
        say(
            "You edited these files meanwhile; they were left alone:\n"
            + "\n".join(f"  {path}" for path in edited)
        )
    if displaced.exists():
        say(f"Files that were in the way are now in {displaced}")
    return 0


def make_ready(folder: Folder, state: State, computed: Computed) -> None:
    """Store the plan and the result, and lay out project/ where there are conflicts."""
    repository, merged = computed.repository, computed.merged
    state.plan = computed.plan
    state.tree = repository.write(merged.tree)
    state.theirs = repository.commit(computed.theirs, computed.plan.new)
    state.conflicts = merged.conflicts
    if merged.conflicts:
        repository.git("update-ref", _RESULT, repository.commit(merged.tree))
        start = repository.commit(computed.ours)
        repository.git("update-ref", "--no-deref", "HEAD", start)
        verification.lay_out(state, repository, merged.tree, merged.conflicts)
    state.phase = "ready"
    folder.save(state)


def over(git: Git, state: State) -> bool:
    """Whether what Copier's update left in the files was committed, or undone with git."""
    if _committed(git, state):
        return True
    options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return not git("status", *options, "--", ".")


def _committed(git: Git, state: State) -> bool:
    """Whether commits since the update began have changed the project."""
    trees = git.attempt("rev-parse", "HEAD:./", f"{state.start}:./") or ""
    return len({*trees.split("\n")}) != 1 or not trees


def _unfinished(folder: Folder) -> State:
    state = folder.load()
    if not state:
        raise PlatformError("No update is unfinished.", "Begin one: uv run platform update", 2)
    clear_stale(folder, state)
    return state


def _advance(
    folder: Folder, state: State, project: Project, repository: Repository, *, verify: bool
) -> int:
    """Bring the result in project/ to its landing."""
    if state.phase == "landing":
        return _report(state, finish(folder, state, project, repository))
    if state.phase == "landed":
        return _close(folder, state)
    if state.conflicts and (left := _unresolved(state, repository)):
        say(f"{len(left)} in conflict:\n{report.conflicts(state.plan, left)}", "warn")
        say(
            f"\nYour project is untouched; the new version is in\n  {folder.project}\n"
            "Next: uv run platform resolve (or edit the files there and git add them), then\n"
            "uv run platform update --continue\nUndo: uv run platform update --abort"
        )
        return CONFLICTS
    # The plan is stored when the verification has passed: a repeated one starts from the same.
    plan, verified = verification.run(folder, state, state.plan, repository, verify=verify)
    state.plan = plan
    prepare_commit(folder, state, project, plan, repository, verified)
    return _report(state, finish(folder, state, project, repository))


def _report(state: State, code: int) -> int:
    plan = state.plan
    if code == 0 and state.commit:
        say(f"Updated from {plan.old} to {plan.new}, in commit {state.commit[:10]}.", "good")
        _say_resolved(state)
        say(report.outcome(plan))
        say(f"Report: {state.report}")
    return code


def _close(folder: Folder, state: State) -> int:
    """End an update under Copier's door, whose conflicts are in the project's files."""
    repository = Repository(folder.root)
    left = repository.unresolved()
    left += _with_markers(repository, set(state.conflicts) - set(left))
    if left:
        say("Still in conflict:\n" + "\n".join(f"  {path}" for path in left), "warn")
        say(
            "Next: uv run platform resolve (or edit the files and git add them), then\n"
            "uv run platform update --continue"
        )
        return CONFLICTS
    verification.rebuild_landed(folder, state)
    _complete_report(state, repository)
    folder.clear()
    say("The update is finished. Next: git add --all && git commit", "good")
    return 0


def _complete_report(state: State, repository: Repository) -> None:
    """Write which sides were taken into the report, unless the user has edited it."""
    place = repository.folder / state.report
    written = repository.git.attempt("rev-parse", f"{state.tree}:{state.report}")
    if not state.conflicts or file_oid(repository, state.report) != written:
        return
    for path, sides in state.conflicts.items():
        oid = file_oid(repository, path)
        state.resolved[path] = resolution(repository, path, sides, oid)
    text = report.markdown(state.plan, state.resolved)
    place.write_bytes(text.encode(errors="backslashreplace"))
    repository.git("add", "--force", "--", f":(literal){state.report}")
    _say_resolved(state)


def _say_resolved(state: State) -> None:
    if state.resolved:
        lines = "\n".join(f"  {one}" for one in report.resolutions(state.resolved))
        say(f"Conflicts that you resolved ({len(state.resolved)})\n{lines}")


def _unresolved(state: State, repository: Repository) -> list[str]:
    """The conflicts that are left in project/."""
    left = [
        path
        for path in repository.unresolved()
        if not resolved_by_hand(repository, f"{_RESULT}:", path)
    ]
    return left + _with_markers(repository, set(state.conflicts) - set(left))


def _with_markers(repository: Repository, paths: Iterable[str]) -> list[str]:
    """Those of `paths` that have the merge's markers, though git counts them as resolved."""
    places = {path: repository.folder / path for path in sorted(paths)}
    return [
        path
        for path, place in places.items()
        if place.is_file()
        and not place.is_symlink()
        and _MARKERS.issubset(place.read_bytes().splitlines())
    ]
