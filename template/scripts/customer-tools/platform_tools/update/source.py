"""The vendor's template: fetching it, choosing a release, what a release declares."""

import os
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from platform_tools.errors import PlatformError
from platform_tools.update.git import Git, GitError
from platform_tools.update.render import Release
from platform_tools.update.trees import opened

RELEASES = "releases.toml"
# Copier's own short addresses, which it stores as they are.
_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}


@dataclass(frozen=True)
class Declared:
    """What the releases between two versions declare, oldest first (releases.toml)."""

    notes: list[tuple[str, str]] = field(default_factory=list)
    """(version, notes)."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Old path → new path."""
    questions: dict[str, str] = field(default_factory=dict)
    """Old name of a question → its new name."""


def fetch(source: str, into: Path, root: Path) -> Path:
    """Clone the template at `source` (an address, a folder or a bundle) into `into`, bare.

    A relative path is taken from the project's `root`. Raises `PlatformError` when it is out of
    reach.
    """
    address = source.removeprefix("git+")
    for short, host in _SHORT.items():
        if address.startswith(short):
            address = f"{host}{address.removeprefix(short)}.git"
    local = (root / os.path.expanduser(address)).resolve()  # noqa: PTH111  # "~x" may be no user
    if local.exists():
        address = str(local)
    try:
        Git(root)("clone", "--quiet", "--bare", "--template=", "--", address, str(into))
    except GitError as error:
        if "No space left" in str(error):
            raise PlatformError(str(error), "Make room on the disk and try again.") from None
        if local.is_file():
            raise PlatformError(
                f"{source} is an incomplete bundle, or none.\n{error}",
                "Have the vendor make one of all versions: git bundle create FILE.bundle --all",
            ) from None
        raise PlatformError(
            f"The template at {source} is out of reach.\n{error}",
            "Check the network and try again, or update from a file: uv run platform update --from "
            "FILE.bundle\nWhere the template has moved: uv run platform update --source ADDRESS",
        ) from None
    return into


def newest(repository: Path) -> str:
    """The newest release (no pre-release). Raises `PlatformError` when there is none."""
    names = {*_tags(repository), *_listed(repository)}
    versions = [(version, name) for name in names if (version := _version(name)) is not None]
    released = [one for one in versions if not one[0].is_prerelease]
    if not released:
        raise PlatformError(
            "The template has no released version.",
            "Name a commit: uv run platform update --to COMMIT",
        )
    return max(released)[1]


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


def export_engine(repository: Path, oid: str, into: Path) -> Path:
    """Write the release's customer tools into `into`; return the folder to import from."""
    folder = "template/scripts/customer-tools"
    template = opened(repository)
    tools = {
        path.removeprefix(f"{folder}/"): entry.oid
        for path, entry in template.read(oid).items()
        if path.startswith(f"{folder}/platform_tools/")
    }
    if "platform_tools/update/engine.py" not in tools:
        raise PlatformError("That version of the template has no update engine.", code=2)
    contents = template.blobs(tools.values())
    for path, blob in tools.items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[blob])
    return into


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
