"""What an update will do, file by file. The preview shows it, the update does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.update.errors import PlatformError
from extensions.update.inputs.ownership import Ownership
from extensions.update.inputs.project import BASE_REF, Project
from extensions.update.inputs.render import Renderer, read_answers
from extensions.update.inputs.template import Release, Template
from extensions.update.merging.split import Note
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Tree

if TYPE_CHECKING:
    from extensions.update.merging.merge import Merged

SUGGESTED = {"customer": "yours", "private": "yours", "shared": "yours"}


@dataclass
class Plan:
    """The plan in plain values, as `--preview --json` prints it."""

    old: str
    new: str
    files: list[dict[str, str]] = field(default_factory=list)
    """path, zone, detail, and status: added, changed, merged, replaced, removed, renamed, conflict,
    rebuilt."""
    notes: list[dict[str, str]] = field(default_factory=list)
    """kind, path, detail of what a person may want to know; see `split.NoteKind`."""
    rebuild: list[str] = field(default_factory=list)
    """Lock files and the like that will be made again."""
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """"new", "removed" → question → answer; "changed" → question → "old", "new" → answer."""
    releases: list[tuple[str, str]] = field(default_factory=list)
    """(version, notes) of the releases in between."""

    @property
    def conflicts(self) -> list[dict[str, str]]:
        return [one for one in self.files if one["status"] == "conflict"]

    @property
    def empty(self) -> bool:
        return not self.files


@dataclass
class Computed:
    """The plan with the git objects behind it."""

    plan: Plan
    repository: Repository
    ours: Tree
    theirs: Tree
    merged: "Merged"


def compute(
    renderer: Renderer,
    project: Project,
    release: Release,
    data: Mapping[str, Any],
    folder: Path,
    ownership: Ownership,
    answers: Mapping[str, Any] | None = None,
) -> Computed:
    """Merge `release` with the project, in a new repository in `folder`; touch nothing else.

    `answers` replace those stored in the project for the new render; `data` overrides them.
    """
    template = release.template
    old = template.name(str(project.answers["_commit"]))
    declared = release.declared(old)
    known = {declared.questions.get(name, name): value for name, value in project.answers.items()}
    new_tree = renderer.begin(release, answers or known, data)
    # Copier renders in the background: first comes what does not need its result.
    repository = Repository.create(folder, project.objects, template.objects)
    kept = _kept_base(project, repository)
    earlier = None if kept else _earlier(project, template)
    old_tree = renderer.begin(earlier, project.answers) if earlier else None
    ours = repository.read(f"{project.head}:{project.prefix}")
    repository.use_attributes(ours)
    # Import late and warm the ownership table's cache while Copier renders.
    from extensions.update.merging.merge import merge

    for path in ours:
        ownership.rule(path)
    theirs = new_tree(repository)
    base = old_tree(repository) if old_tree else kept or {}
    if entry := base.get(project.answers_file):
        _check_answers(project, read_answers(repository.blob(entry.oid)) or {})
    if project.answers_file in ours:
        # Nobody edits it but updates: its answers are the base's, whatever it looks like.
        base[project.answers_file] = ours[project.answers_file]
    merged = merge(
        repository,
        base,
        ours,
        theirs,
        ownership,
        answers_file=project.answers_file,
        on_disk=project.on_disk(ours, theirs),
        renamed=declared.renamed,
        once_had=project.once_had,
    )
    plan = Plan(old, release.name, releases=declared.notes)
    plan.rebuild = _rebuilt(ownership, base, ours, merged)
    plan.files = _files(ownership, base, ours, merged, plan.rebuild)
    plan.notes = [
        {"kind": note.kind, "path": note.path, "detail": note.detail}
        for note in [*merged.notes, *_to_regenerate(ownership, base, ours, merged)]
    ]
    answers_entry = theirs.get(project.answers_file)
    now = read_answers(repository.blob(answers_entry.oid)) if answers_entry else None
    if unknown := sorted(data.keys() - (now or {}).keys()):
        raise PlatformError(
            f"No question of {release.name} is called {unknown[0]}, or it is not asked with these"
            " answers.",
            f"Questions: {', '.join(name for name in now or {} if not name.startswith('_'))}",
            2,
        )
    plan.questions = _questions(project.answers, now or {})
    return Computed(plan, repository, ours, theirs, merged)


def _kept_base(project: Project, repository: Repository) -> Tree | None:
    """The old render that an earlier update kept, where it is of these very answers."""
    if kept := project.git.attempt("rev-parse", "--verify", "--quiet", f"{BASE_REF}^{{tree}}"):
        tree = repository.read(kept)
        entry = tree.get(project.answers_file)
        if entry and read_answers(repository.blob(entry.oid)) == project.answers:
            return tree
    return None


def _earlier(project: Project, template: Template) -> Release:
    """The release that the project has."""
    name = str(project.answers["_commit"])
    old = template.release(name)
    if old is None:
        raise PlatformError(
            f"The template does not know {name}, the version this project is of.",
            "Update from a template that has all its versions (a full clone or bundle): platform "
            "update --from FILE.bundle",
        )
    return old


def _check_answers(project: Project, accepted: Mapping[str, Any]) -> None:
    """Refuse answers that the project's own version does not accept: it took others for them."""
    for name, value in project.answers.items():
        if not name.startswith("_") and name in accepted and str(value) != str(accepted[name]):
            file = project.answers_file
            raise PlatformError(
                f"{file} has an answer that the template does not accept: {name}: {value!r}",
                f"Restore it from git: git log -- {file}, then git checkout COMMIT -- {file}, and "
                "commit that.\nTo change an answer: uv run platform update --data NAME=VALUE",
            )


def _files(
    ownership: Ownership, base: Tree, ours: Tree, merged: "Merged", rebuild: list[str]
) -> list[dict[str, str]]:
    renamed = {
        new: old
        for names in merged.renamed.values()
        for old, new in names.items()
        if old in ours and old not in merged.tree and new not in ours
    }
    replaced = {note.path for note in merged.notes if note.kind == "replaced"}
    files = []
    for path in sorted({*ours, *merged.tree, *merged.conflicts}):
        old, new = ours.get(path), merged.tree.get(path)
        detail = ""
        if path in merged.conflicts:
            status = "conflict"
            detail = ", ".join(merged.keys.get(path, []))
        elif path in rebuild:
            status = "rebuilt"
        elif old == new or path in renamed.values():
            continue
        elif path in renamed:
            status, detail = "renamed", f"from {renamed[path]}"
        elif not old:
            status = "added"
        elif not new:
            status = "removed"
        elif path in replaced:
            status = "replaced"
        else:
            status = "changed" if old == base.get(path) else "merged"
        files.append(
            {"path": path, "status": status, "zone": ownership.zone(path), "detail": detail}
        )
    return files


def _rebuilt(ownership: Ownership, base: Tree, ours: Tree, merged: "Merged") -> list[str]:
    """Generated files that no longer fit what they are made from."""
    changed = {path for path in {*ours, *merged.tree} if ours.get(path) != merged.tree.get(path)}
    edited = {path for path in merged.tree if ours.get(path) != base.get(path)}
    replaced = {note.path for note in merged.notes if note.kind == "replaced"}
    found = []
    for path in merged.tree:
        rule = ownership.rule(path)
        if not rule or rule.zone != "generated" or not rule.inputs:
            continue
        inputs = {one for one in merged.tree if rule.inputs_spec.match_file(one)}
        # The framework's own fits the framework's inputs, as long as the customer changed none.
        fits = path in changed and not inputs & edited
        if path in replaced or (inputs & changed and not fits):
            found.append(path)
    return sorted(found)


def _to_regenerate(ownership: Ownership, base: Tree, ours: Tree, merged: "Merged") -> list[Note]:
    """Generated files that both sides had changed and only the project's own code can make."""
    found = {}
    for path in {*ours, *base}:
        rule = ownership.rule(path)
        if rule and rule.command and ours.get(path) != base.get(path):
            found[rule.command] = rule
    changed = [path for path in {*ours, *merged.tree} if ours.get(path) != merged.tree.get(path)]
    return [
        Note("regenerate", rule.paths[0].strip("/"), rule.command)
        for rule in found.values()
        if any(ownership.rule(path) is rule for path in changed)
    ]


def _questions(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    names = [name for name in {**old, **new} if not name.startswith("_")]
    return {
        "new": {name: new[name] for name in names if name not in old},
        "changed": {
            name: {"old": old[name], "new": new[name]}
            for name in names
            if name in old and name in new and old[name] != new[name]
        },
        "removed": {name: old[name] for name in names if name not in new},
    }
