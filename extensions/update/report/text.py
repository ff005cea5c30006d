"""The plan for people: on the terminal, and as Markdown that stays in the project."""

from collections.abc import Iterable, Mapping
from typing import Any

from extensions.update.report.plan import SUGGESTED, Plan

FOLDER = "docs/updates"
_NOTES = {
    "kept-edited": "The framework dropped these; you had changed them, so they stay",
    "kept-deleted": "You had deleted these; the framework changed them, they stay deleted",
    "kept-on-disk": "New in the framework, but you have something there that is not in git: yours "
    "stays, the framework's is not written",
    "moved-out": "You had moved these into your own part; the framework changed them, and that is "
    "not in yours",
    "new-in-gone-folder": "New in the framework, in a folder that you had moved or deleted",
    "replaced": "Both sides had changed these generated files; the framework's are taken",
    "regenerate": "Generated, and both sides had changed it: make it again, with what is yours",
    "followed": "Renamed on one side and changed on the other: the changes are in the renamed file",
    "newer-example": "Yours since it was delivered; the template has a newer one",
    "not-delivered": "You deleted these once; they are not created again",
    "mended": "Made or changed by you in the update's folder, before it landed",
}
_STATUS = {
    "conflict": "In conflict",
    "merged": "Merged with your changes",
    "renamed": "Renamed",
    "removed": "Removed",
    "added": "New",
    "rebuilt": "Rebuilt",
    "replaced": "Replaced by the framework's",
    "changed": "Changed by the framework alone",
}
_SHORT = 12


def terminal(plan: Plan, only: Iterable[str] = _STATUS) -> str:
    """The plan as text of a screen or two."""
    lines = []
    for title, entries in _sections(plan, only):
        lines.append(f"{title} ({len(entries)})")
        lines += [f"  {entry}" for entry in entries[:_SHORT]]
        if len(entries) > _SHORT:
            lines.append(f"  … and {len(entries) - _SHORT} more")
    return "\n".join(lines)


def markdown(plan: Plan, resolved: Iterable[str] = (), checks: str = "") -> str:
    """The report that stays in the project."""
    parts = [f"# Update from {plan.old} to {plan.new}"]
    if plan.old == plan.new:
        parts = [f"# Changed answers, at {plan.new}"]
    resolved = sorted(resolved)
    counts = [f"{sum(one['status'] == key for one in plan.files)} {key}" for key in _STATUS]
    parts.append(
        ", ".join(one for one in counts if not one.startswith("0 "))
        + "."
        + (f" {checks}" if checks else "")
    )
    if resolved:
        parts.append("## Conflicts that you resolved\n\n" + _list(map(_code, resolved)))
    shown = [status for status in _STATUS if status not in ("conflict", "changed") or not resolved]
    for title, entries in _sections(plan, shown):
        parts.append(f"## {title}\n\n{_list(entries)}")
    for version, notes in plan.releases:
        if notes:
            parts.append(f"## Release {version}\n\n{notes}")
    return "\n\n".join(parts) + "\n"


def conflicts(plan: Plan, left: Iterable[str]) -> str:
    """The conflicts that are left, with the suggestion by zone."""
    zones = {one["path"]: one for one in plan.files}
    lines = []
    for path in left:
        one = zones.get(path, {"zone": "framework", "detail": ""})
        side = SUGGESTED.get(one["zone"], "framework")
        keys = f"  keys: {one['detail']}" if one["detail"] else ""
        lines.append(f"  {path}  (suggested: {side}){keys}")
    return "\n".join(lines)


def path_for(plan: Plan, taken: Iterable[str]) -> str:
    """Where the Markdown goes; a name that is not taken."""
    name = f"{plan.old}-to-{plan.new}" if plan.old != plan.new else f"{plan.new}-answers"
    name = "".join(letter if letter.isalnum() or letter in ".-_" else "-" for letter in name)
    used, number = set(taken), 1
    # Where the project has no folder of that name but a link, say, the report is at the top.
    start = f"{FOLDER}/" if used.isdisjoint(("docs", FOLDER)) else "platform-update-"
    path = f"{start}{name}.md"
    while path in used:
        number += 1
        path = f"{start}{name}-{number}.md"
    return path


def _sections(plan: Plan, only: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    for status in only:
        entries = [_entry(one) for one in plan.files if one["status"] == status]
        if entries:
            yield _STATUS[status], entries
    for kind, title in _NOTES.items():
        entries = [_entry(one) for one in plan.notes if one["kind"] == kind]
        if entries:
            yield title, entries
    questions: Mapping[str, Mapping[str, Any]] = plan.questions
    for key, title in (
        (
            "new",
            "New questions, with the answers taken "
            "(change one: uv run platform update --data NAME=VALUE)",
        ),
        ("changed", "Changed answers"),
        ("removed", "Questions that are no more"),
    ):
        if answers := questions.get(key):
            yield title, [f"{name}: {_answer(key, value)}" for name, value in answers.items()]


def _answer(key: str, value: Any) -> str:
    return f"{value['old']!r} → {value['new']!r}" if key == "changed" else repr(value)


def _entry(one: Mapping[str, str]) -> str:
    return _code(one["path"]) + (f" ({one['detail']})" if one["detail"] else "")


def _code(path: str) -> str:
    return f"`{path}`"


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)
