"""The objects of one repository, to read."""

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from extensions.update.objects.git import Batch, Git, GitError
from extensions.update.objects.tree import Tree, parse_tree

# An object id, perhaps with a path: it always means the same object.
_FIXED = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?(:|$)")


class ObjectStore:
    """Reads trees and blobs of the repository in `folder`, and keeps the trees in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git = Git(folder)
        self._trees: dict[str, Tree] = {}

    @property
    def format(self) -> str:
        """The format of the object ids: sha1 or sha256."""
        return self._located[0]

    @property
    def place(self) -> Path:
        """git's folder of the objects."""
        return (self.folder / self._located[1]).resolve()

    @cached_property
    def _located(self) -> list[str]:
        wanted = ("--show-object-format", "--git-path", "objects")
        return self.git.line("rev-parse", *wanted).split("\n", 1)

    @cached_property
    def _reader(self) -> Batch:
        return Batch(self.git, "cat-file", "--batch")

    def read(self, treeish: str) -> Tree:
        """All files of a tree or commit; none for a path that is not there."""
        if treeish in self._trees:
            return dict(self._trees[treeish])
        tree = parse_tree(self.git("ls-tree", "-r", "-z", "--full-tree", treeish))
        if _FIXED.match(treeish):
            self._trees[treeish] = dict(tree)
        return tree

    def contents(self, name: str) -> bytes | None:
        """The contents of an object by any name in git (COMMIT:PATH), or None where it is not."""
        *_, size = self._reader.ask(os.fsencode(name) + b"\n").split(b" ")
        return None if size == b"missing" else self._reader.read(int(size) + 1)[:-1]

    def blob(self, oid: str) -> bytes:
        """The contents of a blob. Raises `GitError` when the repository lacks it."""
        contents = self.contents(oid)
        if contents is None:
            raise GitError(f"git has lost the object {oid}: look with git fsck.")
        return contents

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of blobs by their ids."""
        return {oid: self.blob(oid) for oid in set(oids)}
