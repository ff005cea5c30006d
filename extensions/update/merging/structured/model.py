"""The same three-way merge on plain values: what a merged text must say when it is read again."""

from __future__ import annotations

from collections.abc import Collection

from .identity import ambiguous, identify, merge_order
from .lines import merge_text
from .tree import Side
from .versions import later

Path = tuple[str, ...]
_ABSENT = object()


class MismatchError(Exception):
    """Both sides changed a value, and the merge of the texts did not call it a conflict."""


def expected(
    values: tuple[object, object, object], conflicts: Collection[Path], side: Side, path: Path = ()
) -> object:
    """Merge base, ours and theirs; at the paths in `conflicts` the given side's value stands."""
    base, ours, theirs = values
    if path in conflicts:
        return {"base": base, "ours": ours, "theirs": theirs}[side]
    if not any(place[: len(path)] == path for place in conflicts):
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys((*ours, *theirs))  # type: ignore[misc]
        found = {k: _at(values, k) for k in keys}  # type: ignore[arg-type]
        return _present({k: expected(v, conflicts, side, (*path, k)) for k, v in found.items()})
    if all(isinstance(value, list) for value in values):
        return _expected_list(values, conflicts, side, path)  # type: ignore[arg-type]
    if all(isinstance(value, str) and "\n" in value for value in values):
        merged = merge_text(*values)  # type: ignore[arg-type]
        if merged is not None:
            return merged
    if version := later(path, base, ours, theirs):
        return version
    raise MismatchError(".".join(path))


def _expected_list(
    lists: tuple[list[object], list[object], list[object]],
    conflicts: Collection[Path],
    side: Side,
    path: Path,
) -> object:
    names = identify(*lists)
    if ambiguous(path[-1] if path else "", lists, names):
        raise MismatchError(".".join(path))
    by_name = tuple(dict(zip(n, i, strict=True)) for n, i in zip(names, lists, strict=True))
    every = dict.fromkeys((*names[1], *names[2]))
    merged = _present({n: expected(_at(by_name, n), conflicts, side, (*path, n)) for n in every})
    kept = {name for name in every if name in merged or (*path, name) in conflicts}
    order = merge_order(*names, kept)
    if order is None:
        raise MismatchError(".".join(path))
    return [merged[name] for name in order if name in merged]


def _at(values: tuple[dict[str, object], ...], key: str) -> tuple[object, object, object]:
    base, ours, theirs = (value.get(key, _ABSENT) for value in values)
    return base, ours, theirs


def _present(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not _ABSENT}
