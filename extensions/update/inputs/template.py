"""The vendor's template: fetching it, choosing a release, what a release declares."""

import os
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from extensions.update.errors import PlatformError
from extensions.update.inputs.render import Release
from extensions.update.objects.git import Git
from extensions.update.objects.repository import opened

RELEASES = "releases.toml"


@dataclass(frozen=True)
class Declared:
    """What the releases between two versions declare, oldest first (releases.toml)."""

    notes: list[tuple[str, str]] = field(default_factory=list)
    """(version, notes)."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Old path → new path."""
    questions: dict[str, str] = field(default_factory=dict)
    """Old name of a question → its new name."""


def release(repository: Path, ref: str, source: str) -> Release | None:
    """The release that `ref` names (a tag, a commit, or what Copier stored), or None."""
    found = _commit(repository, ref)
    return Release(repository, *found, source) if found else None


def called(repository: Path, ref: str) -> str:
    """The name of the release that Copier stored as `ref`: of a listed commit, the version."""
    found = _commit(repository, ref)
    return found[1] if found else ref


def refuse_older(release: Release, stored: str) -> None:
    """Raises `PlatformError` when `release` is older than what Copier stored as `stored`."""
    old = called(release.repository, stored)
    versions = [_version(name) for name in (release.name, old)]
    if versions[0] and versions[1] and versions[0] < versions[1]:
        raise PlatformError(
            f"{release.name} is older than this project's {old}: updates only go forward.",
            "Undo an update with git revert.",
            2,
        )


def declared(repository: Path, old: str, new: Release) -> Declared:
    """What releases.toml of `new` says about the versions after `old`, up to `new`."""
    text = opened(repository).contents(f"{new.oid}:{RELEASES}")
    if text is None:
        return Declared()
    result = Declared()
    after, until = _version(old), _version(new.name)
    releases: list[dict[str, Any]] = tomllib.loads(text.decode()).get("release", [])
    for one in sorted(releases, key=lambda one: Version(one["version"])):
        version = Version(one["version"])
        if (after and version <= after) or (until and version > until):
            continue
        result.notes.append((one["version"], one.get("notes", "").strip()))
        for old_path, new_path in one.get("renamed", {}).items():
            result.renamed[old_path] = new_path
        for old_name, new_name in one.get("questions", {}).get("renamed", {}).items():
            result.questions[old_name] = new_name
    return result


@cache
def _commit(repository: Path, ref: str) -> tuple[str, str] | None:
    """The id and the name of the commit that `ref` names."""
    git, tags, listed = Git(repository), _tags(repository), _listed(repository)
    if ref.startswith("-"):
        return None
    for name in filter(None, (ref, listed.get(ref))):
        known = name if name in tags.values() else tags.get(name)
        oid = known or git.attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        if oid:
            # Of several tags the full version's: "latest", "v1" and the like may move.
            names = [one for one in listed if listed[one] == oid] or [
                one for one in tags if tags[one] == oid and _version(one)
            ]
            if not names:
                return oid, git.line("describe", "--tags", "--always", oid)
            return oid, max(names, key=lambda one: (_version(one), len(one)))
    return None


@cache
def _tags(repository: Path) -> dict[str, str]:
    """Each tag's commit; "" where that takes more to find out."""
    fields = "%(refname:lstrip=2)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
    tags = {}
    for line in Git(repository)("for-each-ref", f"--format={fields}", "refs/tags").splitlines():
        name, *objects = os.fsdecode(line).split("\0")
        by_kind = dict(zip(objects[::2], objects[1::2], strict=True))
        tags[name] = by_kind.get("commit", "")
    return tags


@cache
def _listed(repository: Path) -> dict[str, str]:
    """The tags and commits that releases.toml lists: a clone or mirror may lack the tags."""
    text = opened(repository).contents(f"HEAD:{RELEASES}") or b""
    listed = tomllib.loads(text.decode()).get("release", [])
    return {f"v{one['version']}": one["commit"] for one in listed if "commit" in one}


def _version(name: str) -> Version | None:
    """The version of a tag, or of `git describe`'s "<tag>-<count>-g<commit>"."""
    parts = name.rsplit("-", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].startswith("g"):
        name = f"{parts[0]}.post{parts[1]}"
    try:
        return Version(name)
    except InvalidVersion:
        return None
