"""Versions that both sides raised."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

_KEYS = {"version", "rev", "uses", "packagemanager"}
# What stands before the version: a requirement's name or `NAME@`, an operator, `v`; and further
# bounds. The length keeps out hashes.
_SPECIFIER = re.compile(
    r"((?:[A-Za-z][\w.-]*(?:\[[^\]]*\])? *(?=[>=~])|[\w./-]+@)?(?:[>=~]=|[\^~])? *v?)"
    r"(\d[\w.-]{0,30})( *,.*)?"
)
# npm's words for a pre-release that PEP 440 does not have.
_PRERELEASE = re.compile(r"-(next|canary|nightly|insiders|experimental)(?=\.\d+$)")


def later(path: tuple[str, ...], base: object, ours: object, theirs: object) -> object:
    """The later of two versions, where both sides raised the base's; None for anything else.

    Versions are values of `version`, `rev`, `uses` and `packageManager`, and those in tables and
    lists of dependencies.
    """
    if not path or not (path[-1].lower() in _KEYS or _lists_dependencies(path[:-1])):
        return None
    found = [_SPECIFIER.fullmatch(v) for v in (base, ours, theirs) if isinstance(v, str)]
    parts = [match.groups() for match in found if match]
    if len(parts) < 3 or len({(before, behind) for before, _, behind in parts}) > 1:
        return None
    if any(re.search(r"-\d", version) for _, version, _ in parts):
        return None  # a pre-release or a later build, depending on the tool
    try:
        was, mine, other = (Version(_PRERELEASE.sub(".dev", version)) for _, version, _ in parts)
    except InvalidVersion:
        return None
    if was >= min(mine, other) or mine == other:
        return None
    return ours if mine > other else theirs


def _lists_dependencies(path: tuple[str, ...]) -> bool:
    """Whether the table or list at `path` names dependencies; `catalogs` are pnpm's."""
    last = path[-1].lower() if path else ""
    return last.endswith("dependencies") or last == "catalog" or path[-2:-1] == ("catalogs",)
