"""An update from start to end, and how it goes on or back after an interruption.

Exit codes of every function: 0 done or nothing to do, 3 conflicts are left. Anything else raises
`PlatformError`.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.ownership import Ownership
from extensions.update.inputs.project import BASE_REF, Project
from extensions.update.inputs.render import Renderer
from extensions.update.inputs.template import Release, Template
from extensions.update.landing import files as landing
from extensions.update.landing import kept
from extensions.update.landing import verification as checks
from extensions.update.landing.index import clear_stale, editing
from extensions.update.landing.result import prepare_commit, stage, stages_of
from extensions.update.landing.state import Folder, State
from extensions.update.merging.lines import OURS, THEIRS
from extensions.update.objects.git import Git
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import stages_info
from extensions.update.report import text as report
from extensions.update.report.plan import Computed, Plan, compute
from extensions.update.resolve import resolved_by_hand
from extensions.update.terminal import say, show

CONFLICTS = 3
_RESULT = "refs/platform/result"


@dataclass(frozen=True)
class Request:
    """What the user asked for. `template` is a repository that has the commit `ref`."""

    root: str
    template: str
    ref: str
    source: str
    data: dict[str, str] = field(default_factory=dict)
    verify: bool = True
    answers_file: str = ".copier-answers.yml"

    @cached_property
    def project(self) -> Project:
        return Project(Path(self.root), self.answers_file)

    @cached_property
    def release(self) -> Release:
        found = Template(Path(self.template)).release(self.ref)
        if not found:
            raise PlatformError(f"The template has no version {self.ref}.", code=2)
        return found


def preview(copier: CopierWorker, request: Request, as_json: bool) -> int:
    """Print what an update would do; change nothing."""
    project = _checked(request)
    with TemporaryDirectory(prefix="platform-preview-") as temporary:
        plan = compute_plan(copier, project, request, Path(temporary, "project")).plan
    if as_json:
        show(json.dumps(asdict(plan), indent=2))
    elif plan.empty:
        say(f"Nothing to do: the project is at {plan.new}.", "good")
    else:
        versions = f"From {plan.old} to {plan.new}" if plan.old != plan.new else f"At {plan.new}"
        parts = [
            f"{versions}; nothing is changed yet.",
            *(f"{version}: {notes}" for version, notes in plan.releases),
            report.terminal(plan).encode(errors="backslashreplace").decode(),
            "Every file: uv run platform update --preview --json\nNext: uv run platform update",
        ]
        show("\n\n".join(parts))
    if changed := project.uncommitted():
        say(
            f"This is about your last commit, without uncommitted changes ({len(changed)} files)."
            " The update itself will want them committed.",
            "warn",
        )
    return 0


def update(copier: CopierWorker, request: Request) -> int:
    """Update the project; leave it as it was when that fails."""
    folder = Folder(Path(request.root))
    try:
        project = _checked(request)
        project.check_committed()
        folder.empty()
        name = kept.running()
        state = State("platform", "started", project.head, asdict(request), engine=name)
        folder.save(state)
        computed = compute_plan(copier, project, request, folder.make_project())
        if computed.plan.empty:
            folder.clear()
            say(f"Nothing to do: the project is at {computed.plan.new}.", "good")
            return 0
        make_ready(folder, state, computed)
    except BaseException:
        folder.clear()
        raise
    return _advance(folder, state, request, computed.repository, verify=request.verify)


def proceed(copier: CopierWorker, root: Path, verify: bool) -> int:
    """`--continue`: go on from wherever the update stopped."""
    folder = Folder(root)
    state = _unfinished(folder)
    # The project may have another path by now, as in a container.
    request = Request(**state.request | {"root": str(root)})
    if state.door == "platform":
        request = replace(request, template=str(folder.template))
    if state.door == "copier" and state.phase in ("started", "copier", "ready"):
        # Copier's clone of the template has gone with it.
        abort(root)
        raise PlatformError(
            "Copier had not come far enough to go on.",
            "Run the update again: uv run platform update, or copier update --trust",
        )
    gone = not folder.project.exists()
    if state.phase == "started" or (state.phase == "ready" and gone):
        return update(copier, request)
    if state.phase == "landing" and gone:
        raise PlatformError(f"{folder.project} is gone.", "Go back: uv run platform update --abort")
    if state.phase == "ready" and Git(root).line("rev-parse", "HEAD") != state.start:
        raise PlatformError(
            "The branch has moved since the update began.",
            "Begin again: uv run platform update --abort && uv run platform update",
        )
    repository = Repository(folder.project)
    return _advance(folder, state, request, repository, verify=verify and request.verify)


def abort(root: Path) -> int:
    """`--abort`: bring the project back to where it was before the update."""
    folder = Folder(root)
    state = _unfinished(folder)
    git = Git(root)
    edited: list[str] = []
    if state.phase == "copier" and git.line("rev-parse", "HEAD") != state.start:
        landing.put_back(folder, state)
        kept = folder.forget_keeping_backup()
        say(
            "The update was interrupted, and there are commits since: nothing was put back.", "warn"
        )
        say(f"The files as they were before it are in {kept}")
        return 0
    if state.phase in ("landing", "landed"):
        if git.line("rev-parse", "HEAD") == state.commit:
            git("update-ref", "-m", "platform update --abort", "HEAD", state.start, state.commit)
        elif git.line("rev-parse", "HEAD") != state.start:
            raise PlatformError(
                "There are commits after the update; it cannot be taken back.",
                "Undo it with git revert, or finish it: uv run platform update --continue",
            )
    displaced = folder.path.with_name("platform-update-displaced")
    if state.phase == "landing" and folder.project.exists():
        edited = landing.take_back(folder, state)
    elif state.phase in ("copier", "landing", "landed"):
        landing.restore(folder, state, displaced)
    folder.clear()
    say("The project is as it was before the update.", "good")
    if edited:
        say("Edited meanwhile, and left alone:\n" + "\n".join(f"  {path}" for path in edited))
    if displaced.exists():
        say(f"What was in the way of that is in {displaced}")
    return 0


def finish(folder: Folder, state: State, project: Project, repository: Repository) -> int:
    """Land the result that is in project/, and end the update unless conflicts are left."""
    state.phase = "landing"
    folder.save(state)
    left_alone = {*state.sparse, *state.edited}
    edited = [*state.edited, *landing.land(folder, state, left_alone)]
    git = Git(folder.root)
    head = git.line("rev-parse", "HEAD")
    moved = bool(state.commit) and head not in (state.start, state.commit)
    new = repository.read(state.tree)
    if state.commit:
        staged = sorted({*state.touched} - set(edited)) if moved else state.touched
        with editing(folder) as index:
            stage(index, state, staged, new, project.prefix)
        if head == state.start:
            git("update-ref", "-m", "platform update", "HEAD", state.commit, state.start)
    elif state.conflicts or state.sparse:
        stages = stages_info(stages_of(state.conflicts, project.prefix))
        with editing(folder) as index:
            # What a sparse checkout leaves out is nowhere but in the index.
            stage(index, state, state.sparse, new, project.prefix)
            index("update-index", "-z", "--index-info", stdin=stages)
    git("update-ref", BASE_REF, state.theirs)
    if edited:
        shown = f"git diff {state.commit[:10]} -- PATH" if moved else "git diff"
        say(
            f"You edited these while the update ran. Your version is in place; `{shown}` shows how"
            " it differs from the update's:\n" + "\n".join(f"  {path}" for path in edited),
            "warn",
        )
    if (state.conflicts or state.rebuild) and not state.commit:
        state.phase = "landed"
        folder.save(state)
        return CONFLICTS if state.conflicts else 0
    folder.clear()
    if moved:
        say("There are commits since the update began: its changes are staged beside them.", "warn")
        say("Next: look at git diff --cached, then git commit")
        return CONFLICTS
    return 0


def _advance(
    folder: Folder, state: State, request: Request, repository: Repository, *, verify: bool
) -> int:
    """From a result in project/ to its landing."""
    project = request.project
    if state.phase == "landing":
        return _done(state, finish(folder, state, project, repository))
    if state.phase == "landed":
        return _close(folder, state)
    # What the checks add to the plan counts once they have passed.
    plan = Plan(**deepcopy(state.plan))
    resolved: list[str] = []
    if state.conflicts:
        left = [
            path
            for path in repository.unresolved()
            if not resolved_by_hand(repository, f"{_RESULT}:", path)
        ]
        left += _with_markers(repository, set(state.conflicts) - set(left))
        if left:
            say(f"{len(left)} in conflict:\n{report.conflicts(plan, left)}", "warn")
            say(
                f"\nYour own files are untouched; the new ones are in\n  {folder.project}\n"
                "Next: uv run platform resolve (or edit them there and git add), then\n"
                "uv run platform update --continue\nGive up: uv run platform update --abort"
            )
            return CONFLICTS
        resolved = list(state.conflicts)
    said = checks.run(folder, state, plan, repository, verify=verify)
    state.plan = asdict(plan)
    prepare_commit(folder, state, project, plan, repository, resolved, said)
    return _done(state, finish(folder, state, project, repository))


def _done(state: State, code: int) -> int:
    plan = Plan(**state.plan)
    if code == 0 and state.commit:
        say(f"Updated from {plan.old} to {plan.new}, in commit {state.commit[:10]}.", "good")
        if state.conflicts:
            say(f"Conflicts that you resolved ({len(state.conflicts)})")
            say("\n".join(f"  `{path}`" for path in sorted(state.conflicts)))
        say(report.terminal(plan, ("merged", "replaced", "renamed", "removed", "rebuilt")))
        say(f"Report: {state.report}")
    return code


def _close(folder: Folder, state: State) -> int:
    """End an update that Copier started: its conflicts are the user's to resolve in place."""
    repository = Repository(folder.root)
    left = repository.unresolved()
    left += _with_markers(repository, set(state.conflicts) - set(left))
    if left:
        say("Still in conflict:\n" + "\n".join(f"  {path}" for path in left), "warn")
        say(
            "Resolve them (uv run platform resolve), git add them, then\n"
            "uv run platform update --continue"
        )
        return CONFLICTS
    checks.rebuild(folder, folder.root, state.rebuild)
    folder.clear()
    say("The update is finished. Next: git add --all && git commit", "good")
    return 0


def make_ready(folder: Folder, state: State, computed: Computed) -> None:
    repository, merged = computed.repository, computed.merged
    state.plan = asdict(computed.plan)
    state.tree = repository.write(merged.tree)
    state.theirs = repository.commit(computed.theirs, computed.plan.new)
    state.conflicts = {
        path: {str(stage): list(entry) for stage, entry in stages.items()}
        for path, stages in merged.conflicts.items()
    }
    if merged.conflicts:
        repository.git("update-ref", _RESULT, repository.commit(merged.tree))
        start = repository.commit(computed.ours)
        repository.git("update-ref", "--no-deref", "HEAD", start)
        checks.lay_out(state, repository, merged.tree, merged.conflicts)
    state.phase = "ready"
    folder.save(state)


def _with_markers(repository: Repository, paths: Iterable[str]) -> list[str]:
    """Those of `paths` that still have the markers of the merge, though git was told otherwise."""
    found = []
    for path in sorted(paths):
        place = repository.folder / path
        if place.is_file() and not place.is_symlink():
            lines = place.read_bytes().splitlines()
            if {f"<<<<<<< {OURS}".encode(), f">>>>>>> {THEIRS}".encode()} <= set(lines):
                found.append(path)
    return found


def compute_plan(
    copier: CopierWorker,
    project: Project,
    request: Request,
    folder: Path,
    answers: Mapping[str, Any] | None = None,
) -> Computed:
    """The plan of a request; see `plan.compute`."""
    renderer = Renderer(copier, project.answers_file, project.root.name, request.source)
    return compute(
        renderer, project, request.release, request.data, folder, Ownership.load(), answers
    )


def _checked(request: Request) -> Project:
    """The project; raises `PlatformError` when an update of it cannot begin."""
    request.project.check()
    request.release.refuse_older(str(request.project.answers["_commit"]))
    return request.project


def _unfinished(folder: Folder) -> State:
    state = folder.load()
    if not state:
        raise PlatformError("No update is unfinished.", "Begin one: uv run platform update", 2)
    clear_stale(folder, state)
    return state
