"""What the zones of the ownership table settle before anything is merged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

from extensions.update.inputs.ownership import SETTINGS, Ownership, Zone
from extensions.update.merging.notes import Note, NoteKind
from extensions.update.objects.tree import Entry, Tree

_KEPT: tuple[Zone, ...] = ("framework", "shared")
# An example that is renamed inside the customer's zone stays where it is.
_MOVES = {*product(_KEPT, _KEPT), *product(_KEPT, ["customer"]), *product(["customer"], _KEPT)}


@dataclass
class Zones:
    """Three trees, and what is settled about their paths; see `merge.merge` for the arguments."""

    base: Tree
    ours: Tree
    theirs: Tree
    ownership: Ownership
    answers_file: str
    on_disk: set[str]
    renamed: Mapping[str, str]
    once_had: Callable[[str], bool | None]
    settled: Tree = field(default_factory=dict)
    """Files of the result that need no merge."""
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
        """The name of a file that several releases may have renamed."""
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
            and not self.ownership.claims(old)
            and not self.ownership.claims(new)
            and (self.ownership.listed_zone(old), self.ownership.listed_zone(new)) in _MOVES
        )

    def split(self) -> tuple[Tree, Tree, Tree]:
        """Settle what the zones decide; return what of the three trees is left to merge."""
        left: tuple[Tree, Tree, Tree] = ({}, {}, {})
        ownership = self.ownership
        examples = {
            new: old
            for old, new in self.renamed.items()
            if ownership.listed_zone(old) == "customer"
        }
        arrived = set(self.moved.values())
        for path in sorted({*self.base, *self.ours, *self.theirs}):
            b, o, t = self.base.get(path), self.ours.get(path), self.theirs.get(path)
            # A file that leaves the framework's zone brings the framework's changes once.
            zone = "framework" if path in arrived else ownership.zone(path)
            if path in (self.answers_file, SETTINGS) and ownership.matches_claim(path):
                self._note("claim-ignored", path)
            if path == self.answers_file:
                self._settle(path, t or o)
            elif zone == "private":
                self._settle(path, o)
            elif ownership.claims(path):
                self._settle(path, o)
                if b != t and o != t:
                    self._note("claimed", path, self._missed(path, b, t))
            elif path in self.on_disk and not o:
                if t and t != b:
                    self._note("kept-on-disk", path)
            elif zone == "generated":
                self._settle(path, self._generated(path, b, o, t))
            elif zone == "customer":
                new = t and not b and not o and examples.get(path, path) not in self.base
                if new and (had := self.once_had(path)) is not False:
                    self._note("not-delivered" if had else "history-missing", path)
                elif new and t:
                    left[2][path] = t
                else:
                    self._settle(path, o)
                    if b and t and b != t and o != t:
                        self._note("newer-example" if o else "kept-deleted", path)
            else:
                for tree, entry in zip(left, (b, o, t), strict=True):
                    if entry:
                        tree[path] = entry
        return left

    def _missed(self, path: str, b: Entry | None, t: Entry | None) -> str:
        """What the framework did to a claimed path."""
        if b and t:
            return "changed"
        if t:
            earlier = [old for old in self.renamed if self._new_name(old) == path]
            return f"renamed from {earlier[0]}" if earlier else "new"
        new = self._new_name(path)
        return f"renamed to {new}" if new in self.theirs else "removed"

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

    def _settle(self, path: str, entry: Entry | None) -> None:
        if entry:
            self.settled[path] = entry

    def _note(self, kind: NoteKind, path: str, detail: str = "") -> None:
        self.notes.append(Note(kind, path, detail))
