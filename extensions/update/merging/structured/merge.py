"""The three-way merge of two trees. What only one side changed is taken with its text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from .identity import ambiguous, identify, merge_order
from .lines import merge_text
from .tree import (
    Choice,
    Container,
    Entry,
    Item,
    Leaf,
    data,
    render,
    shifted,
    text_of,
    whole,
)
from .versions import later

T = TypeVar("T")
Path = tuple[str, ...]
Sides = tuple[Entry, Entry, Entry]
Names = tuple[list[str], ...]
MULTILINE = ("|", '"""', "'''")


@dataclass(frozen=True)
class Place:
    """Where an entry stands: its path (internal, and for a person) and the containers of base,
    ours, theirs and the result."""

    path: Path
    shown: str
    containers: tuple[Container, Container, Container, Container]

    def fit(self, entry: Entry, side: int) -> Entry:
        """An entry of one side, laid out as the result's container is."""
        source, target = self.containers[side], self.containers[3]
        if source.flow and source.leads[1] != target.leads[1]:
            old, new = (node.leads[1].rpartition("\n")[2] for node in (source, target))
            blank = isinstance(entry.lead, str) and not entry.lead.strip()
            moved = shifted(entry, old, new)
            return replace(moved, lead=target.leads[1], first=False) if blank else moved
        return shifted(entry, source.indent, target.indent)


@dataclass
class Merge:
    """One merge. `conflicts` maps the internal path of each value left open to the shown one;
    `comments` lists the comments left open, `suggestions` the versions that were chosen."""

    conflicts: dict[Path, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)

    def entry(self, place: Place, base: Entry, ours: Entry, theirs: Entry) -> Item:
        texts = [whole(entry) for entry in (base, ours, theirs)]
        if texts[2] in (texts[0], texts[1]):
            return place.fit(ours, 1)
        if texts[1] == texts[0]:
            return place.fit(theirs, 2)
        value, source = self._value(place, base, ours, theirs)
        lead = self._text(place, base.lead, ours.lead, theirs.lead)
        head = _prefer_ours(base.head, ours.head, theirs.head)
        if value is None:
            self.conflicts[place.path] = place.shown
            fitted = (place.fit(e, side) for e, side in ((ours, 1), (base, 0), (theirs, 2)))
            return Choice(*(replace(entry, lead=lead, head=head) for entry in fitted))
        if source is not None and len({type(e.value) for e in (base, ours, theirs)}) > 1:
            return replace(source, lead=lead, head=head, value=value)
        sep = source.sep if source else _prefer_ours(base.sep, ours.sep, theirs.sep)
        post = self._text(place, base.post, ours.post, theirs.post)
        return replace(ours, lead=lead, head=head, sep=sep, value=value, post=post)

    def _value(
        self, place: Place, base: Entry, ours: Entry, theirs: Entry
    ) -> tuple[Leaf | Container | None, Entry | None]:
        """The merged value, or None for a conflict; and the entry that it is taken from."""
        values = [entry.value for entry in (base, ours, theirs)]
        texts = [render(value) for value in values]
        if texts[2] in (texts[0], texts[1]):
            return place.fit(ours, 1).value, ours
        if texts[1] == texts[0]:
            return place.fit(theirs, 2).value, theirs
        b, o, t = values
        if isinstance(b, Container) and isinstance(o, Container) and isinstance(t, Container):
            return self.container(place, b, o, t), None
        if not (isinstance(b, Leaf) and isinstance(o, Leaf) and isinstance(t, Leaf)):
            return None, None
        if t.data in (o.data, b.data):
            return place.fit(ours, 1).value, ours
        if o.data == b.data:
            return _quoted_like(o, place.fit(theirs, 2).value), theirs
        if version := later(place.path, b.data, o.data, t.data):
            mine = version == o.data
            self.suggestions.append(_suggestion(place.shown, o.data, t.data, mine))
            return (o, ours) if mine else (_quoted_like(o, t), theirs)
        merged = merge_text(*texts) if all(text.startswith(MULTILINE) for text in texts) else None
        return (None if merged is None else Leaf(merged, None)), None

    def container(
        self, place: Place, base: Container, ours: Container, theirs: Container
    ) -> Container | None:
        sides = (base, ours, theirs)
        if len({(side.kind, side.flow) for side in sides}) > 1:
            return None
        entries = [list(side.chosen()) for side in sides]
        names: Names = tuple([entry.key for entry in side] for side in entries)
        if ours.kind == "list":
            items = [[data(entry.value) for entry in side] for side in entries]
            names = identify(*items)
            if ambiguous(place.path[-1] if place.path else "", items, names):
                return None
        inner = Merge()
        result = replace(
            ours,
            entries=(),
            indent=_prefer_ours(base.indent, ours.indent, theirs.indent),
            leads=_prefer_ours(base.leads, ours.leads, theirs.leads),
            tail=inner._text(place, base.tail, ours.tail, theirs.tail),
            trailing_comma=_prefer_ours(*(side.trailing_comma for side in sides)),
        )
        found = [dict(zip(n, e, strict=True)) for n, e in zip(names, entries, strict=True)]
        merged: dict[str, Item] = {}
        for name in dict.fromkeys((*names[1], *names[2])):
            shown = _shown(place.shown, ours.kind, name, names)
            at = Place((*place.path, name), shown, (*sides, result))
            item = inner._item(at, *(side.get(name) for side in found))
            if item is not None:
                merged[name] = item
        if ours.filled and not merged:
            return None  # each side removed what the other kept
        order = merge_order(names[0], names[1], names[2], set(merged))
        if order is None and ours.kind == "list":
            return None
        if order is None:  # in a mapping order means nothing: ours stays
            order = merge_order(names[0], names[1], names[0], set(merged)) or []
            order += [name for name in merged if name not in order]
        if ours.tables_last:
            order.sort(key=lambda name: _is_table(merged[name]))
        self.conflicts |= inner.conflicts
        self.comments += inner.comments
        self.suggestions += inner.suggestions
        return replace(result, entries=tuple(merged[name] for name in order))

    def _item(
        self, place: Place, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> Item | None:
        if base and ours and theirs:
            return self.entry(place, base, ours, theirs)
        base, ours, theirs = (
            entry and place.fit(entry, side) for side, entry in enumerate((base, ours, theirs))
        )
        if base is None and ours and theirs:
            if data(ours.value) == data(theirs.value):
                line_end = "\n" if text_of(ours.post).endswith("\n") else ""
                post = self._text(place, line_end, ours.post, theirs.post)
                lead, value = self._text(place, "", ours.lead, theirs.lead), ours.value
                if isinstance(value, Container) and isinstance(theirs.value, Container):
                    # For the comments inside, of which each side may have its own.
                    nothing = replace(value, entries=())
                    value = self.container(place, nothing, value, theirs.value) or value
                return replace(ours, lead=lead, value=value, post=post)
        elif base is None or not (ours or theirs):
            return ours or theirs
        elif (
            whole(ours).split() == whole(base).split()
            if ours
            else theirs and data(theirs.value) == data(base.value)
        ):
            return None
        self.conflicts[place.path] = place.shown
        return Choice(ours, base, theirs)

    def _text(
        self,
        place: Place,
        base: str | Choice[str],
        ours: str | Choice[str],
        theirs: str | Choice[str],
    ) -> str | Choice[str]:
        """Comments and white space. Where both sides changed white space only, ours stays."""
        base, ours, theirs = text_of(base), text_of(ours), text_of(theirs)
        if theirs in (base, ours):
            return ours
        if ours == base:
            return theirs
        if theirs.strip() in (base.strip(), ours.strip()):
            return ours
        if ours.strip() == base.strip():
            return theirs
        merged = merge_text(base, ours, theirs)
        if merged is None:
            self.comments.append(f"{place.shown} (comment)".strip())
            return Choice(ours, base, theirs)
        return merged


def _suggestion(shown: str, ours: object, theirs: object, mine: bool) -> str:
    sides = f"{ours} (yours)", f"{theirs} (framework)"
    return f"{shown}: {sides[not mine]}, not {sides[mine]}"


def _quoted_like(ours: Leaf, value: Leaf | Container) -> Leaf | Container:
    """The value in the quotes of ours, where that changes nothing else."""
    quotes = ("'", '"')
    if isinstance(value, Leaf) and ours.text[:1] in quotes and value.text[:1] in quotes:
        inner = value.text[1:-1]
        if inner == value.data and not {*quotes, "\\", "\n"} & {*inner}:
            return Leaf(f"{ours.text[0]}{inner}{ours.text[0]}", value.data)
    return value


def _is_table(item: Item) -> bool:
    entries = (item.ours, item.theirs) if isinstance(item, Choice) else (item,)
    return any(e and isinstance(e.value, Container) and not e.value.flow for e in entries)


def _prefer_ours(base: T, ours: T, theirs: T) -> T:
    return theirs if ours == base else ours


def _shown(parent: str, kind: str, name: str, names: Names) -> str:
    if kind == "map":
        return f"{parent}.{name}".strip(".")
    place = names[1].index(name) if name in names[1] else names[2].index(name)
    return f"{parent}[{place}]"
