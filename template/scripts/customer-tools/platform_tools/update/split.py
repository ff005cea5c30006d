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
    "moved-out",  # you moved it into your zone, the framework changed it: yours is without that
    "new-in-gone-folder",  # new, in a folder that you moved or deleted: delivered
    "newer-example",  # yours since it was delivered; the template's changed
    "not-delivered",  # yours, deleted once: not created again
    "followed",  # renamed by one side, the other side's changes are in it
    "mended",  # made or changed by you in the update's folder
    "replaced",  # generated: the framework's, to be rebuilt with what you changed
    "regenerate",  # generated, and an update cannot rebuild it: you can
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
    moved: dict[str, str] = field(default_factory=dict)
    """Declared renames that were made in `base` and `ours`: old path → new path."""

    def __post_init__(self) -> None:
        self.base, self.ours = dict(self.base), dict(self.ours)
        for old in self.renamed:
            new = self._new_name(old)
            if self._moves(old, new):
                self.moved[old] = new
                self.base[new], self.ours[new] = self.base.pop(old), self.ours.pop(old)

    def _new_name(self, old: str) -> str:
        """Where a file is now that several releases may have renamed."""
        new = old
        for _ in self.renamed:
            if new not in self.theirs:
                new = self.renamed.get(new, new)
        return new

    def _moves(self, old: str, new: str) -> bool:
        return (
            new in self.theirs
            and all(old in tree and new not in tree for tree in (self.base, self.ours))
            and not {old, new} & {*self.on_disk, self.answers_file}
            and old not in self.theirs
            and self.ownership.zone(old) in ("framework", "shared")
            and self.ownership.zone(new) in ("framework", "shared", "customer")
        )

    def split(self) -> tuple[Tree, Tree, Tree]:
        """The trees that are left to merge; the rest goes to `decided`."""
        left: tuple[Tree, Tree, Tree] = ({}, {}, {})
        customers = {
            new: old for old, new in self.renamed.items() if self.ownership.zone(old) == "customer"
        }
        arrived = set(self.moved.values())
        for path in sorted({*self.base, *self.ours, *self.theirs}):
            b, o, t = self.base.get(path), self.ours.get(path), self.theirs.get(path)
            # What comes from the framework's zone brings its changes along this once.
            zone = "framework" if path in arrived else self.ownership.zone(path)
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
                new = t and not b and not o and customers.get(path, path) not in self.base
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
