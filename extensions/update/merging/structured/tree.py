"""A document as a tree of text pieces: an unchanged tree renders to the very text it was read from.

A container's entries own everything around them (the comments above, the comment behind), so a
merge moves pieces and never formats anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

Side = Literal["ours", "base", "theirs"]
T = TypeVar("T")


class UnsupportedError(Exception):
    """The document is invalid, or uses something that this package cannot keep exactly."""


@dataclass(frozen=True)
class Choice(Generic[T]):
    """What a conflict leaves open."""

    ours: T
    base: T
    theirs: T

    def pick(self, side: Side) -> T:
        return {"ours": self.ours, "base": self.base, "theirs": self.theirs}[side]


@dataclass(frozen=True)
class Leaf:
    """A scalar: its text, and its value for comparisons (a string, or a type's name and repr)."""

    text: str
    data: object


@dataclass(frozen=True)
class Entry:
    """One item: `lead` (comments and blank lines above), `head` (the key or dash), `sep` and
    `value`, `post` (the rest of the line; in a flow container what follows the comma)."""

    key: str
    value: Leaf | Container
    lead: str | Choice[str] = ""
    head: str = ""
    sep: str = ""
    post: str | Choice[str] = ""
    first: bool = False


Item = Entry | Choice["Entry | None"]


@dataclass(frozen=True)
class Container:
    """A mapping or a list. Block: one entry per line, at `indent`; `compact` when the first entry
    stands behind its parent's dash; `filled` where the format cannot write an empty one;
    `tables_last` where settings have to precede the tables. Flow: brackets and commas; `leads` is
    the white space before a first and before any other entry."""

    kind: Literal["map", "list"]
    entries: tuple[Item, ...]
    indent: str = ""
    compact: bool = False
    filled: bool = False
    tables_last: bool = False
    tail: str | Choice[str] = ""
    flow: bool = False
    brackets: tuple[str, str] = ("", "")
    leads: tuple[str, str] = ("", "")
    trailing_comma: bool = False

    def chosen(self, side: Side = "ours") -> Iterator[Entry]:
        for item in self.entries:
            entry = item.pick(side) if isinstance(item, Choice) else item
            if entry is not None:
                yield entry


def data(node: Leaf | Container) -> object:
    """The node's value as plain dicts, lists and scalars, for comparisons."""
    if isinstance(node, Leaf):
        return node.data
    if node.kind == "list":
        return [data(entry.value) for entry in node.chosen()]
    return {entry.key: data(entry.value) for entry in node.chosen()}


def scalar(value: object) -> object:
    """A scalar for comparisons: `1`, `1.0` and `true` differ, which Python calls equal."""
    return value if isinstance(value, str) else (type(value).__name__, repr(value))


def plain(value: object) -> object:
    """What a standard parser returned, in the form of `data`."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return scalar(value)


def render(node: Leaf | Container, side: Side = "ours") -> str:
    if isinstance(node, Leaf):
        return node.text
    entries = list(node.chosen(side))
    if node.flow:
        return _render_flow(node, entries, side)
    parts = []
    for index, entry in enumerate(entries):
        lead = text_of(entry.lead, side)
        inline = node.compact and index == 0
        if inline and lead:
            parts.append("\n")
        parts += [lead, "" if inline and not lead else node.indent, render_entry(entry, side)]
    return "".join(parts) + text_of(node.tail, side)


def render_entry(entry: Entry, side: Side = "ours") -> str:
    """The entry without its lead."""
    value, post = render(entry.value, side), text_of(entry.post, side)
    block = isinstance(entry.value, Container) and not entry.value.flow
    return entry.head + entry.sep + (post + value if block else value + post)


def _render_flow(node: Container, entries: list[Entry], side: Side) -> str:
    parts = [node.brackets[0]]
    for index, entry in enumerate(entries):
        lead, last = text_of(entry.lead, side), index == len(entries) - 1
        if not lead.strip() and entry.first != (index == 0):
            lead = node.leads[0 if index == 0 else 1]
        value, post = render(entry.value, side), text_of(entry.post, side)
        comma = "" if last and not node.trailing_comma else ","
        parts += [lead, entry.head, entry.sep, value, comma, post]
    return "".join(parts) + text_of(node.tail, side) + node.brackets[1]


def text_of(value: str | Choice[str], side: Side = "ours") -> str:
    return value.pick(side) if isinstance(value, Choice) else value


def whole(entry: Entry, side: Side = "ours") -> str:
    return text_of(entry.lead, side) + render_entry(entry, side)


def shifted(entry: Entry, old: str, new: str) -> Entry:
    """The entry, moved from a container indented by `old` to one indented by `new`."""
    if old == new:
        return entry
    return replace(
        entry,
        lead=_shift(text_of(entry.lead, "ours"), old, new),
        sep=_shift_after(entry.sep, old, new),
        value=_shift_value(entry.value, old, new),
        post=_shift_after(text_of(entry.post, "ours"), old, new),
    )


def _shift_value(value: Leaf | Container, old: str, new: str) -> Leaf | Container:
    if isinstance(value, Leaf):
        return Leaf(_shift_after(value.text, old, new), value.data)
    return replace(
        value,
        entries=tuple(shifted(entry, old, new) for entry in value.chosen()),
        indent=new + value.indent[len(old) :],
        leads=(_shift_after(value.leads[0], old, new), _shift_after(value.leads[1], old, new)),
        tail=(_shift_after if value.flow else _shift)(text_of(value.tail, "ours"), old, new),
    )


def _shift(text: str, old: str, new: str) -> str:
    shifted = (
        new + line[len(old) :] if line.startswith(old) and line.strip() else line
        for line in text.split("\n")
    )
    return "\n".join(shifted)


def _shift_after(text: str, old: str, new: str) -> str:
    first, newline, rest = text.partition("\n")
    return first + newline + _shift(rest, old, new)
