"""Trees as mappings of paths, and what git's commands read and print of them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER, SYMLINK, GITLINK = "040000", "120000", "160000"


class Entry(NamedTuple):
    """A file of a tree: git's mode ("100644", "100755", "120000", "160000") and object id."""

    mode: str
    oid: str


Tree = dict[str, Entry]
"""All files of a tree by their paths, as `os.fsdecode` makes them."""


def parse_tree(listed: bytes) -> Tree:
    """The entries that `git ls-tree -z` prints."""
    tree = {}
    for record in listed.split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        mode, _, oid = head.decode().split(" ")
        tree[os.fsdecode(path)] = Entry(mode, oid)
    return tree


def format_folder(entries: Mapping[str, Entry]) -> bytes:
    """The entries of one folder as `git mktree -z` reads them."""
    return b"".join(
        f"{entry.mode} {_kind(entry.mode)} {entry.oid}\t".encode() + os.fsencode(name) + b"\0"
        for name, entry in sorted(entries.items())
    )


def _kind(mode: str) -> str:
    return {FOLDER: "tree", GITLINK: "commit"}.get(mode, "blob")


def index_info(records: Iterable[tuple[Entry, str]], stage: int = 0) -> bytes:
    """Lines for `git update-index -z --index-info`; the mode "0" removes a path."""
    return b"".join(
        f"{entry.mode} {entry.oid} {stage}\t".encode() + os.fsencode(path) + b"\0"
        for entry, path in records
    )


def stages_info(conflicts: Mapping[str, Mapping[int, Entry]]) -> bytes:
    """Lines for `git update-index -z --index-info` that put paths in conflict."""
    lines = []
    for path, stages in conflicts.items():
        none = Entry("0", "0" * len(next(iter(stages.values())).oid))
        lines.append(index_info([(none, path)]))
        lines += [index_info([(entry, path)], stage) for stage, entry in sorted(stages.items())]
    return b"".join(lines)


def attributes_of(tree: Tree) -> Tree:
    """The files of a tree that hold git's attributes."""
    return {path: tree[path] for path in tree if path.split("/")[-1] == ".gitattributes"}


def above(path: str) -> Iterator[str]:
    """The folders that contain a path, from the nearest to the top: ""."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def is_file(path: Path) -> bool:
    """Whether there is a file or a link, not a folder."""
    return path.is_symlink() or path.is_file()
