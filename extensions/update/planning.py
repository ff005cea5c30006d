"""From a request to the plan of an update: render, merge, compare. The project is not touched."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.ownership import IN_PROJECT, Ownership
from extensions.update.inputs.project import Project, base_ref
from extensions.update.inputs.render import Renderer, read_answers
from extensions.update.inputs.template import Declared, Release, Template
from extensions.update.merging.notes import Note
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Tree
from extensions.update.report.plan import (
    ChangedAnswer,
    FileChange,
    Plan,
    Questions,
    ReleaseNotes,
    Status,
)
from extensions.update.request import Request

if TYPE_CHECKING:
    from extensions.update.merging.merge import Merged


@dataclass
class Computed:
    """The plan with the git objects behind it."""

    plan: Plan
    repository: Repository
    ours: Tree
    theirs: Tree
    merged: "Merged"


def wanted_release(request: Request) -> Release:
    """The release that a request names."""
    found = Template(request.template).release(request.ref)
    if not found:
        raise PlatformError(f"The template has no version {request.ref}.", code=2)
    return found


def checked_project(request: Request, release: Release) -> Project:
    """The project; raises `PlatformError` when an update of it cannot begin."""
    project = Project(request.root, request.answers_file)
    project.check()
    release.refuse_older(str(project.answers["_commit"]))
    return project


def compute(
    copier: CopierWorker,
    project: Project,
    release: Release,
    request: Request,
    folder: Path,
    answers: Mapping[str, Any] | None = None,
) -> Computed:
    """Merge the requested `release` with the project, in a new repository in `folder`.

    `answers` replace those stored in the project for the new render; the request's override both.
    """
    template = release.template
    old = template.name(str(project.answers["_commit"]))
    declared = release.declared(old)
    known = declared.answers(project.answers)
    renderer = Renderer(copier, project.answers_file, project.root.name, request.source)
    new_tree = renderer.begin(release, answers or known, request.data)
    # While Copier renders: everything that does not need its result.
    repository = Repository.create(folder, project.objects, template.objects)
    kept = _kept_base(project, repository)
    earlier = None if kept else _earlier(project, template)
    rendered = project.answers if kept else project.rendered_answers
    old_tree = renderer.begin(earlier, rendered) if earlier else None
    ours = repository.read(f"{project.head}:{project.prefix}")
    repository.use_attributes(ours)
    from extensions.update.merging.merge import merge

    ownership = project.ownership
    for path in ours:
        ownership.rule(path)  # each lookup is slow once
    theirs = new_tree(repository)
    base = old_tree(repository) if old_tree else kept or {}
    if entry := base.get(project.answers_file):
        accepted = read_answers(repository.blob(entry.oid)) or {}
        _check_answers(project, rendered, accepted, request.data)
    if project.answers_file in ours:
        # Only updates edit the answers file: the base has the same answers, however written.
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
    answers_entry = theirs.get(project.answers_file)
    now = (read_answers(repository.blob(answers_entry.oid)) if answers_entry else None) or {}
    _check_questions(release, request.data, now)
    if not kept and answers is None:
        check_edited(project, declared, now, request.data)
    rebuild = _rebuilt(ownership, base, ours, merged)
    plan = Plan(
        old,
        release.name,
        files=_files(ownership, base, ours, merged, rebuild),
        notes=[
            *merged.notes,
            *_to_regenerate(ownership, base, ours, merged),
            *_edited_table(repository, base, ours, theirs),
        ],
        rebuild=rebuild,
        questions=_questions(declared, rendered, now),
        releases=[ReleaseNotes(*one) for one in declared.notes],
    )
    return Computed(plan, repository, ours, theirs, merged)


def _kept_base(project: Project, repository: Repository) -> Tree | None:
    """The old render that an earlier update kept, where it has the project's answers."""
    name = f"{base_ref(project.prefix)}^{{tree}}"
    if kept := project.git.attempt("rev-parse", "--verify", "--quiet", name):
        tree = repository.read(kept)
        entry = tree.get(project.answers_file)
        if entry and read_answers(repository.blob(entry.oid)) == project.answers:
            return tree
    return None


def _earlier(project: Project, template: Template) -> Release:
    """The project's present release."""
    name = str(project.answers["_commit"])
    old = template.release(name)
    if old is None:
        raise PlatformError(
            f"The template does not know {name}, the version of this project.",
            "Update from a template with all versions (a full clone or bundle): "
            "uv run platform update --from FILE.bundle",
        )
    return old


def check_edited(
    project: Project, declared: Declared, accepted: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    """Refuse answers edited by hand that the new version has replaced by others."""
    _check_answers(project, declared.answers(project.edited_answers), accepted, data)


def _check_answers(
    project: Project,
    answers: Mapping[str, Any],
    accepted: Mapping[str, Any],
    data: Mapping[str, Any],
) -> None:
    """Refuse stored answers that a version replaced by others when it was rendered."""
    for name, value in answers.items():
        if name.startswith("_") or name in data:
            continue
        if name in accepted and str(value) != str(accepted[name]):
            file = project.answers_file
            raise PlatformError(
                f"{file} has an answer that the template does not accept: {name}: {value!r}",
                f"Restore it from git: git log -- {file}, then git checkout COMMIT -- {file}, and "
                "commit that.\nTo change an answer: uv run platform update --data NAME=VALUE",
            )


def _check_questions(release: Release, data: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse answers to questions that the release does not ask."""
    if unknown := sorted(data.keys() - now.keys()):
        raise PlatformError(
            f"{release.name} has no question {unknown[0]}, or does not ask it with these answers.",
            f"Questions: {', '.join(name for name in now if not name.startswith('_'))}",
            2,
        )


def _files(
    ownership: Ownership, base: Tree, ours: Tree, merged: "Merged", rebuild: list[str]
) -> list[FileChange]:
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
        status: Status
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
        files.append(FileChange(path, status, ownership.zone(path), detail))
    return files


def _rebuilt(ownership: Ownership, base: Tree, ours: Tree, merged: "Merged") -> list[str]:
    """Lock files that do not fit what they are made from any more."""
    changed = {path for path in {*ours, *merged.tree} if ours.get(path) != merged.tree.get(path)}
    edited = {path for path in merged.tree if ours.get(path) != base.get(path)}
    replaced = {note.path for note in merged.notes if note.kind == "replaced"}
    found = []
    for path in merged.tree:
        rule = ownership.rule(path)
        if not rule or rule.zone != "generated" or not rule.inputs or ownership.claims(path):
            continue
        inputs = {one for one in merged.tree if rule.inputs_spec.match_file(one)}
        # The framework's lock file fits, as long as the customer changed no input.
        fits = path in changed and not inputs & edited
        if path in replaced or (inputs & changed and not fits):
            found.append(path)
    return sorted(found)


def _to_regenerate(ownership: Ownership, base: Tree, ours: Tree, merged: "Merged") -> list[Note]:
    """Generated files that both sides changed and that only the project's code can make."""
    found = {}
    for path in {*ours, *base}:
        rule = ownership.rule(path)
        claimed = ownership.claims(path)
        if rule and rule.command and ours.get(path) != base.get(path) and not claimed:
            found[rule.command] = rule
    changed = [path for path in {*ours, *merged.tree} if ours.get(path) != merged.tree.get(path)]
    return [
        Note("regenerate", rule.paths[0].strip("/"), rule.command)
        for rule in found.values()
        if any(ownership.rule(path) is rule for path in changed)
    ]


def _edited_table(repository: Repository, base: Tree, ours: Tree, theirs: Tree) -> list[Note]:
    """A note where the project's copy of the ownership table says something of its own."""
    from extensions.update.merging.merge import same_data

    mine, known = ours.get(IN_PROJECT), [base.get(IN_PROJECT), theirs.get(IN_PROJECT)]
    if not mine or mine in known:
        return []
    contents = repository.blob(mine.oid)
    if any(one and same_data(IN_PROJECT, contents, repository.blob(one.oid)) for one in known):
        return []
    return [Note("table-edited", IN_PROJECT)]


def _questions(declared: Declared, stored: Mapping[str, Any], new: Mapping[str, Any]) -> Questions:
    old = declared.answers(stored)
    names = [name for name in {**old, **new} if not name.startswith("_")]
    return Questions(
        renamed={
            name: declared.question(name)
            for name in stored
            if declared.question(name) in new.keys() - {name}
        },
        new={name: new[name] for name in names if name not in old},
        changed={
            name: ChangedAnswer(old[name], new[name])
            for name in names
            if name in old and name in new and old[name] != new[name]
        },
        removed={name: old[name] for name in names if name not in new},
    )
