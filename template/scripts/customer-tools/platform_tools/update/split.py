"""What the ownership table decides before anything is merged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from platform_tools.update.ownership import Ownership
from platform_tools.update.trees import Entry, Tree

NoteKind = Literal[
    "kept-deleted",  # you deleted it, the framework changed it: stays deleted
    "kept-edited",  # the framework dropped it, you edited it: stays
    "kept-on-disk",  # not in git, in the way of a new file of the framework: stays
    "kept-path",  # your file or folder is in the way of a new one of the framework: stays
    "newer-example",  # yours since it was delivered; the template's changed
    "not-delivered",  # yours, deleted once: not created again
    "followed",  # renamed by one side, the other side's changes are in it
    "mended",  # made or changed by you in the update's folder
    "replaced",  # generated: the framework's, to be rebuilt with what you changed
]


@dataclass(frozen=True)
class Note:
    """Something about one path that a person may want to know."""

    kind: NoteKind
    path: str
    detail: str = ""


@dataclass
class Parts:
    """Three trees, and what is settled about their paths; see `merge.merge` for the arguments."""

    base: Tree
    ours: Tree
    theirs: Tree
    ownership: Ownership
    answers_file: str
    on_disk: set[str]
    renamed: Mapping[str, str]
    once_had: Callable[[str], bool]
    decided: Tree = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def split(self) -> tuple[Tree, Tree, Tree]:
        """The trees that are left to merge; the rest goes to `decided`."""
        left: tuple[Tree, Tree, Tree] = ({}, {}, {})
        sources = {new: old for old, new in self.renamed.items()}
        for path in sorted({*self.base, *self.ours, *self.theirs}):
            b, o, t = self.base.get(path), self.ours.get(path), self.theirs.get(path)
            zone = self.ownership.zone(path)
            if path == self.answers_file:
                self._decide(path, t or o)
            elif zone == "private":
                self._decide(path, o)
            elif path in self.on_disk and not o:
                if t and t != b:
                    self._note("kept-on-disk", path)
            elif zone == "generated":
                self._decide(path, self._generated(path, b, o, t))
            elif zone == "customer":
                new = t and not b and not o and sources.get(path, path) not in self.base
                if new and self.once_had(path):
                    self._note("not-delivered", path)
                elif new and t:
                    left[2][path] = t
                else:
                    self._decide(path, o)
                    if b and o and t and b != t and o != t:
                        self._note("newer-example", path)
            else:
                for tree, entry in zip(left, (b, o, t), strict=True):
                    if entry:
                        tree[path] = entry
        return left

    def _generated(
        self, path: str, b: Entry | None, o: Entry | None, t: Entry | None
    ) -> Entry | None:
        if t == b or o == t:
            return o
        if o == b:
            return t
        if not t:
            self._note("kept-edited", path)
            return o
        if not o and b:
            self._note("kept-deleted", path)
            return None
        self._note("replaced", path)
        return t

    def _decide(self, path: str, entry: Entry | None) -> None:
        if entry:
            self.decided[path] = entry

    def _note(self, kind: NoteKind, path: str) -> None:
        self.notes.append(Note(kind, path))
