"""Prepares a result for its landing: the report, the commit, the files, the index."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from extensions.update.inputs.project import Project
from extensions.update.landing.files import save
from extensions.update.landing.state import Folder, State
from extensions.update.merging.choice import side_taken
from extensions.update.objects.git import Git
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import (
    GITLINK,
    Entry,
    Tree,
    above,
    attributes_of,
    index_info,
    is_file,
)
from extensions.update.report import text as report
from extensions.update.report.plan import Plan


def prepare_commit(
    folder: Folder,
    state: State,
    project: Project,
    plan: Plan,
    repository: Repository,
    verified: str,
) -> None:
    """Write the result's commit and its changed files for `finish`; the project is untouched."""
    # From here on project/ holds the changed files alone: a file that is missing there is not
    # a deletion.
    state.full = False
    folder.save(state)
    ours = repository.read(f"{state.start}:{project.prefix}")
    tree = repository.read(state.tree)
    state.resolved = {
        path: resolution(repository, path, stages, tree[path].oid if path in tree else None)
        for path, stages in state.conflicts.items()
    }
    text = report.markdown(plan, state.resolved, verified)
    write_report(state, repository, ours, tree, text)
    root_tree = repository.graft(state.tree, project.prefix, state.start)

    def commit() -> None:
        state.commit = _commit(repository, root_tree, state.start, plan, state.report)
        repository.send(folder.git_folder, state.start, state.commit, state.theirs)

    place(folder, state, repository, ours, tree, commit)


def resolution(
    repository: Repository, path: str, stages: Mapping[int, Entry], result: str | None
) -> str:
    """The side that was taken in a conflict, "" for an edit; `result` is the file's blob now."""
    oids = {stage: entry.oid for stage, entry in stages.items()}
    for side, stage in (("yours", 2), ("framework", 3)):
        if result == oids.get(stage):
            return side
    if not result or not {2, 3} <= set(oids) or any(e.mode == GITLINK for e in stages.values()):
        return ""
    base = repository.blob(oids[1]) if 1 in oids else None
    sides = repository.blob(oids[2]), repository.blob(oids[3])
    return side_taken(repository.git, path, base, *sides, repository.blob(result)) or ""


def write_report(state: State, repository: Repository, ours: Tree, tree: Tree, text: str) -> None:
    """Add the report to the result's tree."""
    state.report = report.path_for(state.plan, {*ours, *tree})
    contents = text.encode(errors="backslashreplace")
    tree[state.report] = Entry("100644", repository.store(contents))
    state.tree = repository.write(tree)


def place(
    folder: Folder,
    state: State,
    repository: Repository,
    ours: Tree,
    tree: Tree,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Write the changed files to project/, and save the project's files that they replace.

    `meanwhile` runs in another thread; it may run git commands, but read or write no objects.
    """
    # Lock files that are rebuilt after the landing are saved as well.
    changed = [
        path
        for path in {*ours, *tree}
        if ours.get(path) != tree.get(path) or (path in tree and path in state.rebuild)
    ]
    wanted = {path: tree[path] for path in changed if path in tree}
    attributes = attributes_of(tree)
    files = [path for path in changed if (tree.get(path) or ours[path]).mode != GITLINK]
    with ThreadPoolExecutor(3) as pool:
        saving, other = pool.submit(save, folder, state, files), pool.submit(meanwhile)
        listing = pool.submit(_tags, Git(folder.root))
        repository.check_out(attributes | wanted)
        for path in set(attributes) - set(wanted):
            (folder.project / path).unlink(missing_ok=True)
        saving.result()
        # An edit before this is seen here; a later one differs from what was saved.
        options = ("--name-only", "-z", "--no-renames", "--relative")
        edited = set(os.fsdecode(Git(folder.root)("diff", *options, state.start)).split("\0"))
        tags = listing.result()
        other.result()
    state.edited = [
        path
        for path in changed
        if path in edited or (path not in ours and is_file(folder.root / path))
    ]
    state.sparse = _left_out(tags, files)
    # git reports no edits in files that it was told not to look at.
    unseen = [path for path in files if path in ours and tags.get(path) == {"h"}]
    now = repository.store_files(folder.root, unseen)
    state.edited += [path for path in unseen if now.get(path) != ours[path]]


def _commit(repository: Repository, tree: str, parent: str, plan: Plan, path: str) -> str:
    what = f"Update the platform from {plan.old} to {plan.new}"
    if plan.old == plan.new:
        what = f"Change the platform's answers, at {plan.new}"
    arguments = ("commit-tree", tree, "-p", parent, "-m", what, "-m", f"Report: {path}")
    return repository.git.authored(*arguments).decode().strip()


def stage(git: Git, state: State, paths: Iterable[str], new: Tree, prefix: str) -> None:
    """Make the index that of the result for `paths`."""
    none = Entry("0", "0" * len(state.start))
    records = index_info((new.get(path, none), prefix + path) for path in paths)
    git("update-index", "-z", "--index-info", stdin=records)
    sparse = [path for path in state.sparse if path in new and path not in state.conflicts]
    if sparse:
        listed = b"".join(os.fsencode(path) + b"\0" for path in sparse)
        git("update-index", "-z", "--skip-worktree", "--stdin", stdin=listed)
    git("update-index", "-q", "--refresh", ok=(0, 1))


def _tags(git: Git) -> dict[str, set[str]]:
    """The tag of each file in `git ls-files -v`; of each folder, the tags of all its files."""
    tags: dict[str, set[str]] = {}
    for record in os.fsdecode(git("ls-files", "-z", "-v")).split("\0")[:-1]:
        tag, path = record[0], record[2:]
        for name in (path, *above(path)):
            tags.setdefault(name, set()).add(tag)
    return tags


def _left_out(tags: Mapping[str, set[str]], paths: list[str]) -> list[str]:
    """Those of `paths` that a sparse checkout leaves out."""
    found = []
    for path in paths:
        nearest = next((tags[name] for name in (path, *above(path)) if name in tags), set())
        if nearest and nearest <= {"S", "s"}:
            found.append(path)
    return found
