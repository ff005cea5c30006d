"""Lands a prepared result in the project, and ends the update."""

from extensions.update.inputs.project import Project, base_ref
from extensions.update.landing.files import land
from extensions.update.landing.index import editing
from extensions.update.landing.result import stage
from extensions.update.landing.state import Folder, State
from extensions.update.objects.git import Git
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Tree, stages_info
from extensions.update.terminal import say

CONFLICTS = 3
"""The exit code while conflicts are left."""


def finish(folder: Folder, state: State, project: Project, repository: Repository) -> int:
    """Land the result that is in project/; end the update unless conflicts are left.

    Returns 0 or `CONFLICTS`. Can be repeated after an interruption.
    """
    state.phase = "landing"
    folder.save(state)
    left_alone = {*state.sparse, *state.edited}
    edited = [*state.edited, *land(folder, state, left_alone)]
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
    else:
        conflicts = {project.prefix + path: stages for path, stages in state.conflicts.items()}
        with editing(folder) as index:
            # The index is the only place of what a sparse checkout leaves out, and of modes that
            # git does not read from the files.
            # A new file counts as the update's, which git reset --hard undoes.
            ours = repository.read(f"{state.start}:{project.prefix}")
            added = {path for path in state.touched if path in new and path not in ours}
            only_there = {*state.sparse, *_modes(git, state, new), *(added - {*edited})}
            only_there -= {*state.conflicts}
            stage(index, state, sorted(only_there), new, project.prefix)
            index("update-index", "-z", "--index-info", stdin=stages_info(conflicts))
    git("update-ref", base_ref(project.prefix), state.theirs)
    if edited:
        shown = f"git diff {state.commit[:10]} -- PATH" if moved else "git diff"
        say(
            "You edited these files while the update ran. Your versions are in place. To compare"
            f" them with the update's: {shown}\n" + "\n".join(f"  {path}" for path in edited),
            "warn",
        )
    if (state.conflicts or state.rebuild) and not state.commit:
        state.phase = "landed"
        folder.save(state)
        return CONFLICTS if state.conflicts else 0
    folder.clear()
    if moved:
        say(
            "There are new commits since the update began, so its changes are staged and not"
            " committed.",
            "warn",
        )
        say("Next: git diff --cached, then git commit")
        return CONFLICTS
    return 0


def _modes(git: Git, state: State, new: Tree) -> list[str]:
    """Programs of the result, where git is told not to look at the modes of files."""
    if git.attempt("config", "--type=bool", "core.fileMode") != "false":
        return []
    left_alone = {*state.edited, *state.sparse}
    return [
        path
        for path in state.touched
        if path in new and new[path].mode == "100755" and path not in left_alone
    ]
