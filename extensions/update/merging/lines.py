"""git's three-way merge of whole trees, on objects alone."""

import os
import re
from dataclasses import dataclass, field

from extensions.update.merging.notes import Note
from extensions.update.objects.repository import Repository
from extensions.update.objects.tree import Entry, Tree

OURS, THEIRS = "yours", "framework"
_OPTIONS = (
    *("-c", "merge.renameLimit=1000000", "-c", "diff.renameLimit=1000000"),
    *("-c", "merge.directoryRenames=false", "-c", "merge.renames=true"),
    *("-c", "merge.conflictStyle=merge", "-c", "core.attributesFile=/dev/null"),
)

Conflicts = dict[str, dict[int, Entry]]
"""Path → index stages: 1 the base, 2 yours, 3 the framework's."""
Renames = dict[str, dict[str, str]]
"""Side ("yours", "framework") → old path → new path."""


@dataclass(frozen=True)
class Sides:
    """A path of the result, and the three files that are merged into it."""

    path: str
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None


@dataclass
class Lines:
    """The merged tree, with markers in conflicting files."""

    tree: Tree
    conflicts: Conflicts = field(default_factory=dict)
    both: list[Sides] = field(default_factory=list)
    """Files whose contents both sides changed."""
    renamed: Renames = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def merge_lines(repository: Repository, base: Tree, ours: Tree, theirs: Tree) -> Lines:
    """Merge by lines, follow renames, and settle what one side deleted."""
    if theirs == base:
        return Lines(dict(ours))
    if ours == base:
        return Lines(dict(theirs))
    repository.fork(base, **{OURS: ours, THEIRS: theirs})
    output = repository.git(
        *_OPTIONS, "merge-tree", "--write-tree", "-z", "--messages", OURS, THEIRS, ok=(0, 1)
    )
    head, _, messages = output.partition(b"\0\0")
    oid, *records = filter(None, head.split(b"\0"))
    result = Lines(repository.read(oid.decode()))
    for record in records:
        meta, _, path = record.partition(b"\t")
        mode, entry, stage = meta.decode().split(" ")
        result.conflicts.setdefault(os.fsdecode(path), {})[int(stage)] = Entry(mode, entry)
    result.renamed = {
        # A side that removed no path has renamed none.
        name: renames(repository, f"{name}^", name) if base.keys() - tree.keys() else {}
        for name, tree in ((OURS, ours), (THEIRS, theirs))
    }
    result.both = [
        _sides(path, result.renamed, base, ours, theirs)
        for path in sorted({*_auto_merged(messages), *result.conflicts})
    ]
    _settle_kinds(result, base, ours, theirs)
    _settle_deletions(result, base, ours, theirs)
    _note_followed(result, base, ours, theirs)
    return result


def _auto_merged(messages: bytes) -> list[str]:
    """Paths in which git merged the contents of both sides."""
    fields = messages.split(b"\0")
    found, position = [], 0
    while position < len(fields) - 1:
        count = int(fields[position] or b"0")
        paths = fields[position + 1 : position + 1 + count]
        if fields[position + 1 + count] == b"Auto-merging":
            found += [os.fsdecode(path) for path in paths]
        position += count + 3
    return found


def _settle_kinds(result: Lines, base: Tree, ours: Tree, theirs: Tree) -> None:
    """One conflict where a path is a file on one side and a link or submodule on the other.

    git makes two paths of it.
    """
    for path in list(result.conflicts):
        name = _plain(path)
        if path not in ours and path not in theirs and name in ours and name in theirs:
            for one in (path, name):
                result.conflicts.pop(one, None)
                result.tree.pop(one, None)
            stages = {1: base.get(name), 2: ours[name], 3: theirs[name]}
            result.conflicts[name] = {stage: entry for stage, entry in stages.items() if entry}
            result.tree[name] = ours[name]


def _plain(path: str) -> str:
    """A path without the suffix that git adds when it moves a side's file out of the way."""
    return re.sub(rf"~({OURS}|{THEIRS})(_\d+)?$", "", path)


def _settle_deletions(result: Lines, base: Tree, ours: Tree, theirs: Tree) -> None:
    """No conflict between a deletion and a change: the customer's side stays, with a note."""
    earlier = {new: old for old, new in result.renamed[THEIRS].items()}
    for path, stages in list(result.conflicts.items()):
        plain = _plain(path)
        moved = path not in base and path not in ours and path not in theirs
        name = plain if moved and (plain in base or plain in ours or plain in theirs) else path
        if moved and path.endswith(f"~{OURS}") and name in ours:
            # git moved yours out of the way of a folder; the folder has to give way.
            del result.conflicts[path]
            result.tree[name] = result.tree.pop(path)
        elif set(stages) == {1, 3}:
            del result.conflicts[path]
            result.tree.pop(path, None)
            if name not in base and name in earlier:
                detail = f"the framework renamed it to {name}"
                result.notes.append(Note("kept-deleted", earlier[name], detail))
            else:
                result.notes.append(Note("kept-deleted", name))
        elif set(stages) == {1, 2} and name == path:
            del result.conflicts[path]
            result.tree[path] = stages[2]
            result.notes.append(Note("kept-edited", path))


def _note_followed(result: Lines, base: Tree, ours: Tree, theirs: Tree) -> None:
    for side, other, who in ((OURS, theirs, "you"), (THEIRS, ours, "the framework")):
        for old, new in result.renamed[side].items():
            if new in result.tree and other.get(old) and other[old] != base[old]:
                result.notes.append(Note("followed", new, f"{who} renamed it from {old}"))


def _sides(path: str, renamed: Renames, base: Tree, ours: Tree, theirs: Tree) -> Sides:
    """The three files that were merged into `path`; each side may have its file elsewhere."""
    back = {new: old for names in renamed.values() for old, new in names.items()}
    old = path if path in base else back.get(path, path)
    return Sides(
        path,
        base.get(old),
        ours.get(renamed[OURS].get(old, old)) or ours.get(path),
        theirs.get(renamed[THEIRS].get(old, old)) or theirs.get(path),
    )


def renames(repository: Repository, before: str, after: str) -> dict[str, str]:
    """The renames that git finds from one tree or commit to another, old path → new path."""
    output = repository.git(
        *("diff-tree", "-r", "-z", "-M", "-l1000000", "--diff-filter=R", "--name-status"),
        *(before, after),
    )
    fields = [os.fsdecode(one) for one in output.split(b"\0")[:-1]]
    return dict(zip(fields[1::3], fields[2::3], strict=True))
