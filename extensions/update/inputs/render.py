"""Renders a release with answers to the tree that `copier copy` would write.

Most of a template is static: git has those files already, and they are used as they are. Only files
with Jinja in their name or text go through Copier, in a reduced template: `copier.yml`,
`extensions/` and what there is to render. A template file may read nothing else outside
`template/`.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml  # type: ignore[import-untyped]
from pathspec import PathSpec

from extensions.update.errors import PlatformError
from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.delivered import LISTING, listing
from extensions.update.inputs.template import CONFIGS, Release
from extensions.update.objects.repository import Repository
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import GITLINK, SYMLINK, Entry, Tree

SUFFIX = ".jinja"
# Answers about the release.
_RELEASE = ("_commit", "_src_path")
# A file of the reduced template that Copier writes the rendered `_exclude` to.
_PROBE = "platform-excluded"
_SEPARATOR = "\n\x1e\n"


class Renderer:
    """Renders releases for one project.

    Copier runs in the background, one render after the other. Two renders of the same files and
    answers share a run, and so the answers file of the first.
    """

    def __init__(
        self, copier: CopierWorker, answers_file: str, folder_name: str, source: str
    ) -> None:
        """`source`: the template's address, for `_src_path`."""
        self._copier = copier
        self._answers_file = answers_file
        self._folder_name = folder_name
        self._source = source
        self._runs: dict[Any, _Run] = {}

    def begin(
        self, release: Release, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None
    ) -> Callable[[Repository], Tree]:
        """Begin to render `release`; return a function that waits for the tree.

        It returns the tree in the repository that it gets, whose objects include the template's.
        It raises `PlatformError` when Copier refuses an answer. Trees must be waited for in the
        order in which they were begun.

        `answers` are those of the answers file; `data` overrides them, as Copier's `--data` does;
        new questions get their defaults.
        """
        sources, config = release.sources, release.config
        links = any(entry.mode == SYMLINK for entry in sources.values())
        everything = links and not config.get("_preserve_symlinks", False)
        static = {
            path: entry
            for path, entry in sources.items()
            if not everything and entry.mode != GITLINK and not _has_jinja(path)
        }
        below = Path(config.get("_subdirectory", ""))
        reduced = {
            path: entry
            for path, entry in release.files.items()
            if path in CONFIGS or path.startswith("extensions/")
        } | {str(below / path): entry for path, entry in sources.items() if path not in static}
        run = self._run(release, reduced, answers, data or {})

        def wait(into: Repository) -> Tree:
            rendered, excluded = run.wait(into)
            tree = {
                path: entry
                for path, entry in static.items()
                if not excluded(path) and path + SUFFIX not in sources
            }
            result = into.adopt(release.template.objects, tree) | rendered
            if listed := listing({path: entry.oid for path, entry in tree.items()}):
                result[LISTING] = Entry("100644", into.store(listed))
            return result

        return wait

    def _run(
        self,
        release: Release,
        reduced: Tree,
        answers: Mapping[str, Any],
        data: Mapping[str, Any],
    ) -> "_Run":
        stored = {name: value for name, value in answers.items() if name not in _RELEASE}
        key = (frozenset(reduced.items()), yaml.safe_dump([stored, dict(data)]))
        if key not in self._runs:
            run = self._runs[key] = _Run(self._copier, self._folder_name)
            _write_out(release.template.objects, reduced, run.template)
            below = run.template / release.config.get("_subdirectory", "")
            _name_release(below, release.name, self._source)
            # In `_exclude` Copier defines the operation, in files it does not.
            head = '{%- set _copier_operation = "copy" -%}'
            patterns = release.config.get("_exclude", [])
            (below / (_PROBE + SUFFIX)).write_text(
                head + _SEPARATOR.join(map(str, patterns)), encoding="utf-8"
            )
            run.begin(stored, data, self._answers_file)
        return self._runs[key]


class _Run:
    """A run of `copier copy`, from one temporary folder to another."""

    def __init__(self, copier: CopierWorker, folder_name: str) -> None:
        self._copier = copier
        self._temporary = TemporaryDirectory(prefix="platform-render-")
        self.template = Path(self._temporary.name, "template")
        self._project = Path(self._temporary.name, "project", folder_name or "project")
        self._result: tuple[Tree, Callable[[str], bool]] | None = None

    def begin(self, answers: Mapping[str, Any], data: Mapping[str, Any], answers_file: str) -> None:
        stored = self._project / answers_file
        stored.parent.mkdir(parents=True)
        stored.write_text(yaml.safe_dump(answers), encoding="utf-8")
        self._request = self._copier.ask(
            src_path=str(self.template),
            dst_path=str(self._project),
            data=dict(data),
            answers_file=answers_file,
            defaults=True,
            overwrite=True,
            quiet=True,
            skip_tasks=True,
            unsafe=True,
        )

    def wait(self, into: Repository) -> tuple[Tree, Callable[[str], bool]]:
        """The tree that Copier has written, and whether `_exclude` matches a path."""
        if not self._result:
            with self._temporary:
                if (refusal := self._copier.wait(self._request)) is not None:
                    raise PlatformError(
                        f"The template cannot be rendered with these answers: {refusal}",
                        "Give another answer with --data NAME=VALUE.",
                    )
                probe = self._project / _PROBE
                excluded = probe.read_text(encoding="utf-8").split(_SEPARATOR)
                probe.unlink()
                lines = [line for one in excluded for line in re.split(r"\r\n|\r|\n", one)]
                self._result = into.store_folder(self._project), _matcher(lines)
        return self._result


def template_paths(release: Release, answers_file: str) -> list[str]:
    """Every path that a render of `release` may write, as glob patterns relative to the project."""
    name = re.compile(r"\{\{\s*_copier_conf\.answers_file\s*\}\}")
    return sorted(
        {
            _escape(name.sub(lambda _: answers_file, path.removesuffix(SUFFIX)))
            for path in release.sources
        }
    )


def read_answers(contents: bytes) -> dict[str, Any] | None:
    """The answers of an answers file, or None when it is not a mapping in YAML."""
    try:
        answers = yaml.safe_load(contents)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return answers if isinstance(answers, dict) else None


def _name_release(template: Path, name: str, source: str) -> None:
    """Make the answers file name the real release: the reduced template has neither tag nor URL."""
    commit, address = (json.dumps(one, ensure_ascii=False) for one in (name, source))
    for path in template.glob("*_copier_conf.answers_file*"):
        head = (
            f'{{%- set _copier_answers = dict(dict({{"_commit": {commit}, "_src_path": {address}}},'
            f" **_copier_answers), _commit={commit}, _src_path={address}) -%}}"
        )
        path.write_bytes(head.encode() + path.read_bytes())


def _write_out(objects: ObjectStore, tree: Tree, folder: Path) -> None:
    contents = objects.blobs(entry.oid for entry in tree.values() if entry.mode != GITLINK)
    for path, entry in tree.items():
        if entry.mode == GITLINK:
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == SYMLINK:
            target.symlink_to(os.fsdecode(contents[entry.oid]))
        else:
            target.write_bytes(contents[entry.oid])
            target.chmod(0o755 if entry.mode == "100755" else 0o644)


def _has_jinja(path: str) -> bool:
    return path.endswith(SUFFIX) or any(mark in path for mark in ("{{", "{%", "{#"))


def _matcher(patterns: list[str]) -> Callable[[str], bool]:
    """Whether one of the patterns matches a path. Renders that share a run ask for the same."""
    normal = [unicodedata.normalize("NFD", pattern) for pattern in patterns]
    # Copier uses pathspec's plain gitignore patterns; older releases name them otherwise.
    try:
        return cache(PathSpec.from_lines("gitignore", normal).match_file)
    except LookupError:
        return cache(PathSpec.from_lines("gitwildmatch", normal).match_file)


def _escape(name: str) -> str:
    plain = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", name)
    return "*".join(re.sub(r"([*?\[])", r"[\1]", part) for part in plain)
