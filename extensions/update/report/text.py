"""The plan for people: on the terminal, and as Markdown that stays in the project."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from extensions.update.inputs.ownership import Zone
from extensions.update.inputs.project import REPORTS
from extensions.update.merging.notes import Note, NoteKind
from extensions.update.report.plan import FileChange, Plan, Status
from extensions.update.request import Side

_STATUS: dict[Status, str] = {
    "conflict": "In conflict",
    "merged": "Merged with your changes",
    "renamed": "Renamed",
    "removed": "Removed",
    "added": "New",
    "rebuilt": "Rebuilt",
    "replaced": "Replaced by the framework's version",
    "changed": "Changed by the framework alone",
}
NOTES: dict[NoteKind, str] = {
    "claimed": "Yours by platform.toml: the framework changed these, your project did not",
    "claim-ignored": "Claimed in platform.toml without effect: updates write the answers there",
    "table-edited": "Your edits of this file have no effect: claim paths in platform.toml, under "
    "[ownership]",
    "kept-edited": "Removed by the framework, kept because you changed them",
    "kept-deleted": "Deleted by you and changed by the framework: still deleted",
    "kept-on-disk": "New in the framework, not created: you have files there that are not in git",
    "moved-out": "Moved by you into your files: the framework's changes are not applied",
    "new-in-gone-folder": "New in the framework, in a folder that you had moved or deleted",
    "newer-example": "Your files, delivered as examples: the template has newer ones",
    "not-delivered": "Deleted by you earlier: not created again",
    "history-missing": "New in your files, not created: this clone lacks the history that would "
    "tell whether you deleted them. To get them: git fetch --unshallow before the update",
    "followed": "Renamed by one side and changed by the other: the renamed file has the changes",
    "later-version": "Versions that both sides raised: the later one is suggested and in place",
    "mended": "Changed by you in .platform-update/project before the update was applied",
    "replaced": "Generated files changed on both sides: replaced by the framework's",
    "regenerate": "Generated and changed on both sides: regenerate it with this command",
}
_TAKEN = {"yours": "yours", "framework": "the framework's", "": "edited by you"}
_OUTCOME: tuple[Status, ...] = ("merged", "replaced", "renamed", "removed", "rebuilt")
_SHORT = 12


def suggested(zone: Zone) -> Side:
    """The side to take in a conflict."""
    return "yours" if zone in ("customer", "private", "shared") else "framework"


def preview(plan: Plan) -> str:
    """All files of the plan, shortened to a screen or two."""
    return _terminal(plan, _STATUS)


def outcome(plan: Plan) -> str:
    """What a person may want to look at after the update."""
    return _terminal(plan, _OUTCOME)


def _terminal(plan: Plan, only: Iterable[Status]) -> str:
    lines = []
    for title, entries in _sections(plan, only):
        lines.append(f"{title} ({len(entries)})")
        lines += [f"  {entry}" for entry in entries[:_SHORT]]
        if len(entries) > _SHORT:
            lines.append(f"  … and {len(entries) - _SHORT} more")
    return "\n".join(lines)


def resolutions(resolved: Mapping[str, str]) -> list[str]:
    """The conflicts that were resolved, each with the side that was taken."""
    return [f"{_code(path)} ({_TAKEN[side]})" for path, side in sorted(resolved.items())]


def markdown(plan: Plan, resolved: Mapping[str, str] | None = None, verified: str = "") -> str:
    """The report that stays in the project.

    `resolved`: path of a conflict → the side that was taken, "" for an edit. `verified` is a
    sentence about the verification.
    """
    parts = [f"# Update from {plan.old} to {plan.new}"]
    if plan.old == plan.new:
        parts = [f"# Changed answers, at {plan.new}"]
    counts = [f"{len(files)} {status}" for status in _STATUS if (files := plan.of_status(status))]
    parts.append(f"{', '.join(counts)}.{f' {verified}' if verified else ''}")
    if resolved:
        parts.append("## Conflicts that you resolved\n\n" + _list(resolutions(resolved)))
    shown = [status for status in _STATUS if status not in ("conflict", "changed") or not resolved]
    for title, entries in _sections(plan, shown):
        parts.append(f"## {title}\n\n{_list(entries)}")
    for version, notes in plan.releases:
        if notes:
            parts.append(f"## Release {version}\n\n{notes}")
    return "\n\n".join(parts) + "\n"


def conflicts(plan: Plan, left: Iterable[str]) -> str:
    """The conflicts that are left, each with the suggested side and its keys."""
    files = {file.path: file for file in plan.files}
    lines = []
    for path in left:
        file = files.get(path, FileChange(path, "conflict", "framework"))
        keys = f"  keys: {file.detail}" if file.detail else ""
        lines.append(f"  {path}  (suggested: {suggested(file.zone)}){keys}")
    return "\n".join(lines)


def path_for(plan: Plan, taken: Iterable[str]) -> str:
    """A path for the Markdown that no path in `taken` has."""
    name = f"{plan.old}-to-{plan.new}" if plan.old != plan.new else f"{plan.new}-answers"
    name = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in name)
    used, number = set(taken), 1
    # At the project's top where docs/updates cannot be a folder: docs is a link, for example.
    start = f"{REPORTS}/" if used.isdisjoint(("docs", REPORTS)) else "platform-update-"
    path = f"{start}{name}.md"
    while path in used:
        number += 1
        path = f"{start}{name}-{number}.md"
    return path


def _sections(plan: Plan, only: Iterable[Status]) -> Iterable[tuple[str, list[str]]]:
    for status in only:
        if files := plan.of_status(status):
            yield _STATUS[status], [_entry(file) for file in files]
    for kind in get_args(NoteKind):
        if notes := plan.notes_of([kind]):
            yield NOTES[kind], [_entry(note) for note in notes]
    questions = plan.questions
    if questions.new:
        yield (
            "New questions and their answers "
            "(to change one: uv run platform update --data NAME=VALUE)",
            _answers(questions.new),
        )
    if questions.changed:
        yield (
            "Changed answers",
            [f"{name}: {one.old!r} → {one.new!r}" for name, one in questions.changed.items()],
        )
    if questions.renamed:
        yield (
            "Renamed questions",
            [f"{old} → {new}" for old, new in questions.renamed.items()],
        )
    if questions.removed:
        yield "Removed questions", _answers(questions.removed)


def _answers(answers: dict[str, Any]) -> list[str]:
    return [f"{name}: {value!r}" for name, value in answers.items()]


def _entry(one: FileChange | Note) -> str:
    return _code(one.path) + (f" ({one.detail})" if one.detail else "")


def _code(path: str) -> str:
    return f"`{path}`"


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)
