"""The vendor's template: its releases, their files, and what releases.toml declares."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from packaging.version import InvalidVersion, Version

from extensions.update.errors import PlatformError
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Tree

CONFIGS = ("copier.yml", "copier.yaml")
_RELEASES = "releases.toml"


@dataclass(frozen=True)
class Declared:
    """What the releases between two versions declare, oldest first (releases.toml)."""

    notes: list[tuple[str, str]] = field(default_factory=list)
    """(version, notes)."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Old path → new path."""
    questions: dict[str, str] = field(default_factory=dict)
    """Old name of a question → its new name."""

    def question(self, name: str) -> str:
        """The name of a question that several releases may have renamed."""
        for _ in self.questions:
            name = self.questions.get(name, name)
        return name

    def answers(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Stored answers under the present names of their questions."""
        return {self.question(name): value for name, value in stored.items()}


class Template:
    """The template in the repository `folder`, perhaps bare.

    It keeps what it has read, and can serve updates of many projects, one after the other.
    """

    def __init__(self, folder: Path) -> None:
        self.objects = ObjectStore(folder)
        self._found: dict[str, Release | None] = {}

    def release(self, ref: str) -> "Release | None":
        """The release that `ref` names (a tag, a commit, or what Copier stored), or None."""
        if ref not in self._found:
            self._found[ref] = self._find(ref)
        return self._found[ref]

    def name(self, ref: str) -> str:
        """The name of the release that Copier stored as `ref`: of a listed commit, the version."""
        found = self.release(ref)
        return found.name if found else ref

    def _find(self, ref: str) -> "Release | None":
        if ref.startswith("-"):
            return None
        for name in filter(None, (ref, self._listed.get(ref))):
            known = name if name in self._tags.values() else self._tags.get(name)
            oid = known or self.objects.git.attempt(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
            if oid:
                return Release(self, oid, self._name_of(oid))
        return None

    def _name_of(self, oid: str) -> str:
        """The tag of a commit's version, or what `git describe` makes of the commit."""
        # Tags such as "latest" and "v1" may move: only a full version names a release.
        names = [one for one in self._listed if self._listed[one] == oid] or [
            one for one in self._tags if self._tags[one] == oid and _version(one)
        ]
        if names:
            return max(names, key=lambda one: (_version(one), len(one)))
        return self.objects.git.line("describe", "--tags", "--always", oid)

    @cached_property
    def _tags(self) -> dict[str, str]:
        """Each tag's commit; "" for a tag of a tag or of something else."""
        kinds = "%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
        listing = ("for-each-ref", f"--format=%(refname:lstrip=2)%00{kinds}", "refs/tags")
        tags = {}
        for line in self.objects.git(*listing).splitlines():
            name, *objects = os.fsdecode(line).split("\0")
            by_kind = dict(zip(objects[::2], objects[1::2], strict=True))
            tags[name] = by_kind.get("commit", "")
        return tags

    @cached_property
    def _listed(self) -> dict[str, str]:
        """The tags and commits in releases.toml: a clone or mirror may lack the tags."""
        text = self.objects.contents(f"HEAD:{_RELEASES}") or b""
        listed = tomllib.loads(text.decode()).get("release", [])
        return {f"v{one['version']}": one["commit"] for one in listed if "commit" in one}


@dataclass(frozen=True)
class Release:
    """A commit of a template, and the name that Copier stores for it (`_commit`)."""

    template: Template
    oid: str
    name: str

    @cached_property
    def files(self) -> Tree:
        """Every file of the commit."""
        return self.template.objects.read(self.oid)

    @cached_property
    def config(self) -> dict[str, Any]:
        """copier.yml. Raises `PlatformError` when there is none."""
        for name in CONFIGS:
            if name in self.files:
                text = self.template.objects.blob(self.files[name].oid)
                config = yaml.load(text, yaml.CSafeLoader)
                return config if isinstance(config, dict) else {}
        raise PlatformError(f"{self.name} is no version of a Copier template: no {CONFIGS[0]}.")

    @cached_property
    def sources(self) -> Tree:
        """The files that Copier renders, by their paths below `_subdirectory`."""
        folder = self.config.get("_subdirectory", "")
        start = f"{folder}/" if folder else ""
        return {
            path.removeprefix(start): entry
            for path, entry in self.files.items()
            if path.startswith(start)
        }

    def refuse_older(self, stored: str) -> None:
        """Raises `PlatformError` when this is older than the release that Copier stored."""
        old = self.template.name(stored)
        versions = [_version(name) for name in (self.name, old)]
        if versions[0] and versions[1] and versions[0] < versions[1]:
            raise PlatformError(
                f"{self.name} is older than this project's {old}: updates only go forward.",
                "Undo an update with git revert.",
                2,
            )

    def declared(self, old: str) -> Declared:
        """What this release's releases.toml says about the versions after `old`, up to this."""
        text = self.template.objects.contents(f"{self.oid}:{_RELEASES}")
        if text is None:
            return Declared()
        result = Declared()
        after, until = _version(old), _version(self.name)
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


def _version(name: str) -> Version | None:
    """The version of a tag, or of `git describe`'s "<tag>-<count>-g<commit>"."""
    parts = name.rsplit("-", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].startswith("g"):
        name = f"{parts[0]}.post{parts[1]}"
    try:
        return Version(name)
    except InvalidVersion:
        return None
