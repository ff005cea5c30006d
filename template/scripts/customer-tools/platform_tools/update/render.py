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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml  # type: ignore[import-untyped]
from pathspec import PathSpec

from platform_tools.errors import PlatformError
from platform_tools.update.copier_process import CopierProcess
from platform_tools.update.trees import GITLINK, SYMLINK, Repository, Tree

SUFFIX = ".jinja"
_CONFIGS = ("copier.yml", "copier.yaml")
# The process that renders, once there is one.
_copier: list[CopierProcess] = []
# A folder of the reduced template whose only file gets `_exclude`, rendered.
_PROBE = "platform-excluded.txt"
_SEPARATOR = "\n\x1e\n"


Rendered = dict[tuple[Any, ...], tuple[Tree, list[str]]]
"""What Copier made of what, within one repository."""


@dataclass(frozen=True)
class Release:
    """A commit of the template: a repository that has it, its id, its name in `_commit`."""

    repository: Path
    oid: str
    name: str
    source: str
    """The address for `_src_path`."""


def render(
    into: Repository,
    release: Release,
    answers: Mapping[str, Any],
    data: Mapping[str, Any],
    answers_file: str,
    folder_name: str,
    rendered: Rendered,
) -> Tree:
    """Render `release` into `into`, which must borrow the release's objects.

    `answers` are those of the answers file; `data` overrides them, as Copier's `--data` does; new
    questions get their defaults. Of two releases that render from the same files and answers, the
    second gets what is in `rendered`, with the answers file of the first. Raises `PlatformError`
    when an answer is refused.
    """
    files = into.read(release.oid)
    config = _config(into, files, release)
    sources = _sources(files, config)
    links = any(entry.mode == SYMLINK for entry in sources.values())
    everything = links and not config.get("_preserve_symlinks", False)
    static = {
        path: entry
        for path, entry in sources.items()
        if not everything and entry.mode != GITLINK and not _has_jinja(path)
    }
    dynamic = {path: entry for path, entry in sources.items() if path not in static}
    made, patterns = _run_copier(
        into, release, files, config, dynamic, answers, data, answers_file, folder_name, rendered
    )
    excluded = _matcher(patterns)
    tree = {
        path: entry
        for path, entry in static.items()
        if not excluded(path) and path + SUFFIX not in sources
    }
    return tree | made


def use(copier: CopierProcess) -> None:
    """Render with a process that was started before."""
    _copier[:] = [copier]


def template_paths(release: Release) -> list[str]:
    """Every path that a render of `release` may write, as glob patterns relative to the project."""
    repository = Repository(release.repository)
    files = repository.read(release.oid)
    names = _sources(files, _config(repository, files, release))
    return sorted({_escape(name.removesuffix(SUFFIX)) for name in names})


def read_answers(contents: bytes) -> dict[str, Any] | None:
    """The answers of an answers file, or None when it is not a mapping in YAML."""
    try:
        answers = yaml.safe_load(contents)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return answers if isinstance(answers, dict) else None


def _run_copier(
    into: Repository,
    release: Release,
    files: Tree,
    config: Mapping[str, Any],
    dynamic: Tree,
    answers: Mapping[str, Any],
    data: Mapping[str, Any],
    answers_file: str,
    folder_name: str,
    rendered: Rendered,
) -> tuple[Tree, list[str]]:
    subdirectory = config.get("_subdirectory", "")
    wanted = {
        path: entry
        for path, entry in files.items()
        if path in _CONFIGS or path.startswith("extensions/")
    }
    wanted |= {str(Path(subdirectory, path)): entry for path, entry in dynamic.items()}
    stored = {key: value for key, value in answers.items() if key not in ("_commit", "_src_path")}
    said = yaml.safe_dump([stored, dict(data), answers_file, folder_name])
    key = (frozenset(wanted.items()), said)
    if key in rendered:
        return rendered[key]
    with TemporaryDirectory(prefix="platform-render-") as temporary:
        template = Path(temporary, "template")
        project = Path(temporary, "project", folder_name or "project")
        project.mkdir(parents=True)
        _write_out(into, wanted, template)
        _fix_metadata(template / subdirectory, release)
        patterns = config.get("_exclude", [])
        # Copier tells `_exclude` the operation, but no file.
        head = '{%- set _copier_operation = "copy" -%}'
        (template / subdirectory / (_PROBE + SUFFIX)).write_text(
            head + _SEPARATOR.join(map(str, patterns)), encoding="utf-8"
        )
        (project / answers_file).parent.mkdir(parents=True, exist_ok=True)
        (project / answers_file).write_text(yaml.safe_dump(stored), encoding="utf-8")
        _copy(template, project, data, answers_file)
        probe = project / _PROBE
        excluded = probe.read_text(encoding="utf-8").split(_SEPARATOR)
        probe.unlink()
        tree = into.store_folder(project)
    lines = [line for pattern in excluded for line in re.split(r"\r\n|\r|\n", pattern)]
    rendered[key] = tree, lines
    return tree, lines


def _copy(template: Path, project: Path, data: Mapping[str, Any], answers_file: str) -> None:
    if not _copier:
        use(CopierProcess())
    refusal = _copier[0].run_copy(
        src_path=str(template),
        dst_path=str(project),
        data=dict(data),
        answers_file=answers_file,
        defaults=True,
        overwrite=True,
        quiet=True,
        skip_tasks=True,
        unsafe=True,
    )
    if refusal is not None:
        raise PlatformError(
            f"The template cannot be rendered with these answers: {refusal}",
            "Give another answer with --data NAME=VALUE.",
        )


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
    normal = [unicodedata.normalize("NFD", pattern) for pattern in patterns]
    # Copier uses the plain gitignore patterns of pathspec; older releases call them otherwise.
    try:
        return PathSpec.from_lines("gitignore", normal).match_file
    except LookupError:
        return PathSpec.from_lines("gitwildmatch", normal).match_file


def _escape(name: str) -> str:
    plain = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", name)
    return "*".join(re.sub(r"([*?\[])", r"[\1]", part) for part in plain)
