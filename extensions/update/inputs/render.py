"""A release and answers to the tree that `copier copy` would write.

Most of the template is static: git has those files already, and they are taken as they are. Only
names and files with Jinja go through Copier, in a reduced template: `copier.yml`, `extensions/` and
what there is to render. Outside `template/`, nothing else may be read by a template file.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml  # type: ignore[import-untyped]
from pathspec import PathSpec

from extensions.update.errors import PlatformError
from extensions.update.inputs import copier_process
from extensions.update.objects.repository import GITLINK, SYMLINK, Repository, Tree, opened

SUFFIX = ".jinja"
_CONFIGS = ("copier.yml", "copier.yaml")
# Answers that are about the release.
_RELEASE = ("_commit", "_src_path")
# A folder of the reduced template whose only file gets `_exclude`, rendered.
_PROBE = "platform-excluded"
_SEPARATOR = "\n\x1e\n"


@dataclass(frozen=True)
class Release:
    """A commit of the template: a repository that has it, its id, its name in `_commit`."""

    repository: Path
    oid: str
    name: str
    source: str
    """The address for `_src_path`."""


class Renderer:
    """Renders releases.

    Renders run in the background, one after the other. Of two that render from the same files and
    answers, the second gets what the first has made, with its answers file.
    """

    def __init__(self, answers_file: str, folder_name: str) -> None:
        self.answers_file = answers_file
        self.folder_name = folder_name
        self._copies: dict[Any, _Copy] = {}

    def begin(
        self, release: Release, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None
    ) -> Callable[[Repository], Tree]:
        """Begin to render `release`; return the function that waits for its tree.

        The function takes the repository that gets the tree, and has borrowed the release's.

        `answers` are those of the answers file; `data` overrides them, as Copier's `--data` does;
        new questions get their defaults. The function raises `PlatformError` when an answer is
        refused. Trees must be waited for in the order in which they were begun.
        """
        template = opened(release.repository)
        files = template.read(release.oid)
        config = _config(template, files, release)
        sources = _sources(files, config)
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
            for path, entry in files.items()
            if path in _CONFIGS or path.startswith("extensions/")
        } | {str(below / path): entry for path, entry in sources.items() if path not in static}
        copy = self._copy(release, config, reduced, answers, data or {})

        def wait(into: Repository) -> Tree:
            made, excluded = copy.wait(into)
            tree = {
                path: entry
                for path, entry in static.items()
                if not excluded(path) and path + SUFFIX not in sources
            }
            return into.adopt(template, tree) | made

        return wait

    def _copy(
        self,
        release: Release,
        config: Mapping[str, Any],
        reduced: Tree,
        answers: Mapping[str, Any],
        data: Mapping[str, Any],
    ) -> "_Copy":
        stored = {name: value for name, value in answers.items() if name not in _RELEASE}
        key = (frozenset(reduced.items()), yaml.safe_dump([stored, dict(data)]))
        if key not in self._copies:
            copy = self._copies[key] = _Copy(self.folder_name)
            _write_out(opened(release.repository), reduced, copy.template)
            below = copy.template / config.get("_subdirectory", "")
            _fix_metadata(below, release)
            # Copier tells `_exclude` the operation, but no file.
            head = '{%- set _copier_operation = "copy" -%}'
            patterns = config.get("_exclude", [])
            (below / (_PROBE + SUFFIX)).write_text(
                head + _SEPARATOR.join(map(str, patterns)), encoding="utf-8"
            )
            copy.begin(stored, data, self.answers_file)
        return self._copies[key]


class _Copy:
    """A run of `copier copy`, from one temporary folder to another."""

    def __init__(self, folder_name: str) -> None:
        self._temporary = TemporaryDirectory(prefix="platform-render-")
        self.template = Path(self._temporary.name, "template")
        self._project = Path(self._temporary.name, "project", folder_name or "project")
        self._made: tuple[Tree, Callable[[str], bool]] | None = None

    def begin(self, answers: Mapping[str, Any], data: Mapping[str, Any], answers_file: str) -> None:
        stored = self._project / answers_file
        stored.parent.mkdir(parents=True)
        stored.write_text(yaml.safe_dump(answers), encoding="utf-8")
        self._number = copier_process.started().ask(
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
        """What Copier has written, and whether it excludes a path."""
        if not self._made:
            with self._temporary:
                if (refusal := copier_process.started().answer(self._number)) is not None:
                    raise PlatformError(
                        f"The template cannot be rendered with these answers: {refusal}",
                        "Give another answer with --data NAME=VALUE.",
                    )
                probe = self._project / _PROBE
                excluded = probe.read_text(encoding="utf-8").split(_SEPARATOR)
                probe.unlink()
                lines = [line for one in excluded for line in re.split(r"\r\n|\r|\n", one)]
                self._made = into.store_folder(self._project), _matcher(lines)
        return self._made


def template_paths(release: Release, answers_file: str) -> list[str]:
    """Every path that a render of `release` may write, as glob patterns relative to the project."""
    own = re.compile(r"\{\{\s*_copier_conf\.answers_file\s*\}\}")
    repository = opened(release.repository)
    files = repository.read(release.oid)
    names = _sources(files, _config(repository, files, release))
    return sorted(
        {_escape(own.sub(lambda _: answers_file, name.removesuffix(SUFFIX))) for name in names}
    )


def read_answers(contents: bytes) -> dict[str, Any] | None:
    """The answers of an answers file, or None when it is not a mapping in YAML."""
    try:
        answers = yaml.safe_load(contents)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return answers if isinstance(answers, dict) else None


def _fix_metadata(template: Path, release: Release) -> None:
    """Make the answers file name the real release, which the reduced template does not know."""
    commit, source = (json.dumps(one, ensure_ascii=False) for one in (release.name, release.source))
    for path in template.glob("*_copier_conf.answers_file*"):
        head = (
            f'{{%- set _copier_answers = dict(dict({{"_commit": {commit}, "_src_path": {source}}},'
            f" **_copier_answers), _commit={commit}, _src_path={source}) -%}}"
        )
        path.write_bytes(head.encode() + path.read_bytes())


def _write_out(repository: Repository, tree: Tree, folder: Path) -> None:
    contents = repository.blobs(entry.oid for entry in tree.values() if entry.mode != GITLINK)
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


def _config(repository: Repository, files: Tree, release: Release) -> dict[str, Any]:
    """Copier's configuration in the commit with `files`."""
    for name in _CONFIGS:
        if name in files:
            config = yaml.load(repository.blob(files[name].oid), yaml.CSafeLoader)
            return config if isinstance(config, dict) else {}
    raise PlatformError(f"{release.source} at {release.name} is not a Copier template.")


def _sources(files: Tree, config: Mapping[str, Any]) -> Tree:
    """The files that Copier renders, by their paths below `_subdirectory`."""
    folder = config.get("_subdirectory", "")
    start = f"{folder}/" if folder else ""
    return {
        path.removeprefix(start): entry for path, entry in files.items() if path.startswith(start)
    }


def _has_jinja(path: str) -> bool:
    return path.endswith(SUFFIX) or any(mark in path for mark in ("{{", "{%", "{#"))


def _matcher(patterns: list[str]) -> Callable[[str], bool]:
    """Whether a path matches; asked for two versions, most of whose paths are the same."""
    normal = [unicodedata.normalize("NFD", pattern) for pattern in patterns]
    # Copier uses the plain gitignore patterns of pathspec; older releases call them otherwise.
    try:
        return cache(PathSpec.from_lines("gitignore", normal).match_file)
    except LookupError:
        return cache(PathSpec.from_lines("gitwildmatch", normal).match_file)


def _escape(name: str) -> str:
    plain = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", name)
    return "*".join(re.sub(r"([*?\[])", r"[\1]", part) for part in plain)
