"""Three trees to one: the base, yours ("ours") and the framework's new one ("theirs").

The ownership table decides whose a path is. git merges lines and follows renames. The structured
merges resolve and check files that have a structure. Nothing is dropped in silence: a path whose
result is not what both sides made of it is a conflict or has a note.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from extensions.update.inputs.ownership import Ownership
from extensions.update.merging.endings import adapt_endings
from extensions.update.merging.lines import (
    THEIRS,
    Conflicts,
    Lines,
    Renames,
    Sides,
    merge_lines,
    renames,
)
from extensions.update.merging.notes import Note
from extensions.update.merging.structured import merge_structured
from extensions.update.merging.zones import Zones
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, Tree, above


@dataclass
class Merged:
    """The result: its tree, with markers in conflicting files, its conflicts and notes."""

    tree: Tree
    conflicts: Conflicts = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    """Path → keys that both sides set to different values, where the file has a structure."""
    notes: list[Note] = field(default_factory=list)
    renamed: Renames = field(default_factory=dict)


def merge(
    repository: Repository,
    base: Tree,
    ours: Tree,
    theirs: Tree,
    ownership: Ownership,
    *,
    answers_file: str = ".copier-answers.yml",
    on_disk: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
    once_had: Callable[[str], bool | None] = lambda path: False,
) -> Merged:
    """Merge three trees of the project.

    `on_disk` are paths outside git that exist where `theirs` has a file; `renamed` the release's
    declared renames, old → new; `once_had(path)` is whether the project's history ever had a path
    (None: unknown).
    """
    zones = Zones(
        base, ours, theirs, ownership, answers_file, set(on_disk), renamed or {}, once_had
    )
    b, o, t = zones.split()
    b, t = adapt_endings(repository, b, o, t)
    lines = merge_lines(repository, b, o, t)
    keys = _merge_structures(repository, lines)
    tree, conflicts = _give_way(lines.tree | zones.settled, lines.conflicts, ours)
    notes = _name_moved_out(repository, zones.notes + lines.notes, base, ours)
    for old, new in zones.moved.items():
        lines.renamed.setdefault(THEIRS, {})[old] = new
        if ours[old] != base[old]:
            notes.append(Note("followed", new, f"the framework renamed it from {old}"))
    notes += _new_in_gone_folders(base, ours, theirs, tree)
    return Merged(tree, conflicts, keys, notes, lines.renamed)


def _name_moved_out(
    repository: Repository, notes: list[Note], base: Tree, ours: Tree
) -> list[Note]:
    """Notes with "moved-out" for what is now in the customer's zone, where nothing is merged."""
    deleted = {note.path for note in notes if note.kind == "kept-deleted" and note.path in base}
    if not deleted:
        return notes
    gone = repository.write({path: base[path] for path in deleted})
    own = repository.write({path: entry for path, entry in ours.items() if path not in base})
    moved = renames(repository, gone, own)
    return [
        Note("moved-out", note.path, f"now {moved[note.path]}{note.detail and f'; {note.detail}'}")
        if note.kind == "kept-deleted" and note.path in moved
        else note
        for note in notes
    ]


def _new_in_gone_folders(base: Tree, ours: Tree, theirs: Tree, tree: Tree) -> list[Note]:
    added = [path for path in theirs if path in tree and path not in base and path not in ours]
    gone = _folders(base) - _folders(ours) if added else set()
    return [Note("new-in-gone-folder", path) for path in added if _folders([path]) & gone]


def _merge_structures(repository: Repository, lines: Lines) -> dict[str, list[str]]:
    """Resolve conflicts by structure, and check clean results: lines may be in the wrong block."""
    keys: dict[str, list[str]] = {}
    candidates = [sides for sides in lines.both if _may_have_structure(sides, lines)]
    contents = repository.blobs(
        entry.oid
        for sides in candidates
        for entry in (sides.base, sides.ours, sides.theirs, lines.tree[sides.path])
        if entry
    )
    for sides in candidates:
        path, merged = sides.path, lines.tree[sides.path]
        if not sides.ours or not sides.theirs:
            continue
        base = contents[sides.base.oid] if sides.base else None
        result = merge_structured(path, base, contents[sides.ours.oid], contents[sides.theirs.oid])
        if result is None:
            continue
        clean = path not in lines.conflicts
        if result.conflicts:
            keys[path] = list(result.conflicts)
            stages = {1: sides.base, 2: sides.ours, 3: sides.theirs}
            lines.conflicts[path] = {stage: one for stage, one in stages.items() if one}
        elif clean and same_data(path, contents[merged.oid], result.merged):
            continue
        else:
            lines.conflicts.pop(path, None)
        lines.notes += [Note("later-version", path, text) for text in result.suggestions]
        lines.tree[path] = Entry(merged.mode, repository.store(result.merged))
    return keys


def _may_have_structure(sides: Sides, lines: Lines) -> bool:
    stages = lines.conflicts.get(sides.path)
    whole = stages is None or {2, 3} <= set(stages)
    entries = (sides.base or sides.ours, sides.ours, sides.theirs, lines.tree.get(sides.path))
    return whole and all(entry and entry.mode.startswith("100") for entry in entries)


def same_data(path: str, one: bytes, other: bytes) -> bool:
    """Whether two TOML, YAML or JSON files hold the same data; False for other files."""
    suffix = PurePosixPath(path).suffix
    try:
        if suffix == ".toml":
            return tomllib.loads(one.decode()) == tomllib.loads(other.decode())
        if suffix == ".json":
            return bool(json.loads(one) == json.loads(other))
        if suffix in (".yml", ".yaml"):
            yaml = YAML(typ="safe", pure=True)
            return list(yaml.load_all(one)) == list(yaml.load_all(other))
    except (ValueError, YAMLError):
        pass
    return False


def _give_way(tree: Tree, conflicts: Conflicts, ours: Tree) -> tuple[Tree, Conflicts]:
    """Where a file and a folder have one name, rename the framework's, as a conflict."""
    folders = _folders(tree)
    for name in [path for path in tree if path in folders]:
        inside = [path for path in tree if path.startswith(f"{name}/")]
        moving = inside if name in ours else [name]
        for path in moving:
            aside = f"{name}~{THEIRS}{path.removeprefix(name)}"
            entry = tree.pop(path)
            tree[aside] = entry
            conflicts[aside] = conflicts.pop(path, {3: entry})
    return tree, conflicts


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder that the paths are in, but the top."""
    return {folder for path in paths for folder in above(path)} - {""}
