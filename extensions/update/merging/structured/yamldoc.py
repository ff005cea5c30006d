"""YAML, from ruamel's event stream: documents of block and flow collections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from .flow import flow_container
from .lines import split_lines
from .tree import Container, Entry, Leaf, UnsupportedError

_REST = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_TRIVIA = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


def parse(text: str) -> Entry:
    try:
        for _ in YAML(pure=True).load_all(text):  # duplicate keys, unknown aliases
            pass
        return _Reader(text).documents()
    except (YAMLError, RecursionError, ValueError) as error:
        raise UnsupportedError(str(error)) from error


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0  # behind the last line that a block collection took
        self.events: Iterator[Event] = iter(YAML(typ="safe", pure=True).parse(text))
        self.resolver = VersionedResolver()

    def documents(self) -> Entry:
        """The document, or a list of several."""
        self._expect(StreamStartEvent)
        found: list[Entry] = []
        while isinstance(event := next(self.events), DocumentStartEvent):
            found.append(self._document(event))
        if not found:
            raise UnsupportedError("no document")
        *before, last = found
        root = last.value
        if isinstance(root, Container):
            last = replace(last, value=replace(root, tail=f"{root.tail}{self.text[self.at :]}"))
        return Entry("", Container("list", (*before, last))) if before else last

    def _document(self, start: DocumentStartEvent) -> Entry:
        begin = self.at
        if getattr(start, "explicit", False):
            self.at = self._line_end(start.end_mark.index)
        lead = self.text[begin : self.at]
        event = next(self.events)
        if not isinstance(event, MappingStartEvent | SequenceStartEvent) or event.flow_style:
            raise UnsupportedError("neither a mapping nor a list")
        root = self._block(event, -1, False)
        if getattr(self._expect(DocumentEndEvent), "explicit", False):
            raise UnsupportedError("a document that ends with dots")
        return Entry("", root, lead=lead)

    def _block(self, start: Event, parent: int, compact: bool) -> Container:
        """A block collection whose first line starts at `self.at` (or inside a line: compact)."""
        mapping = isinstance(start, MappingStartEvent)
        entries: list[Entry] = []
        column = -1
        while not isinstance(event := next(self.events), MappingEndEvent | SequenceEndEvent):
            inline = compact and not entries
            begin = self.at if inline else self._skip()
            line = self.text.rfind("\n", 0, begin) + 1
            if column < 0:
                column = begin - line
            elif column != begin - line:
                raise UnsupportedError(f"uneven indentation at character {begin}")
            lead = "" if inline else self.text[self.at : line]
            if not inline and self.text[line:begin].strip(" "):
                raise UnsupportedError("indentation that is not of spaces")
            if mapping:
                entry = self._pair(event, begin, column)
            else:
                entry = self._item(event, begin, column)
            entries.append(replace(entry, lead=lead))
        if len({entry.key for entry in entries}) < len(entries) and mapping:
            raise UnsupportedError("a key occurs twice")
        tail = self._tail(column) if column > parent >= 0 else ""
        return Container(
            "map" if mapping else "list",
            tuple(entries),
            indent=" " * column,
            compact=compact,
            filled=True,
            tail=tail,
        )

    def _pair(self, key: Event, begin: int, column: int) -> Entry:
        if not isinstance(key, ScalarEvent) or key.start_mark.index != begin or key.anchor:
            raise UnsupportedError(f"a key that is no plain scalar at character {begin}")
        end = key.end_mark.index
        value, sep, post = self._value(next(self.events), end, column)
        return Entry(key.value, value, head=self.text[begin:end], sep=sep, post=post)

    def _item(self, event: Event, begin: int, column: int) -> Entry:
        if self.text[begin] != "-":
            raise UnsupportedError(f"no dash at character {begin}")
        value, sep, post = self._value(event, begin + 1, column)
        return Entry("", value, head="-", sep=sep, post=post)

    def _value(self, event: Event, behind: int, column: int) -> tuple[Leaf | Container, str, str]:
        """The value, what stands between `behind` and it, and the rest of its line."""
        text = self.text
        if isinstance(event, MappingStartEvent | SequenceStartEvent) and not event.flow_style:
            return self._nested(event, behind, column)
        node, start, end = self._inline(event)
        if start == end:  # null, written as nothing
            start = end = self._null(behind)
        self.at = self._line_end(end)
        return node, text[behind:start], text[end : self.at]

    def _nested(self, event: Event, behind: int, column: int) -> tuple[Container, str, str]:
        text = self.text
        line_end = text.index("\n", behind) + 1
        match = re.compile(r"[ \t]*:?(?:[ \t]+[&!][^\s#]+)*").match(text, behind)
        rest = match.end() if match else behind
        if _REST.match(text, rest):
            self.at = line_end
            container = self._block(event, column, False)
            return container, text[behind:rest], text[rest:line_end]
        first = len(text[rest:line_end]) - len(text[rest:line_end].lstrip(" ")) + rest
        self.at = first
        return self._block(event, column, True), text[behind:first], ""

    def _inline(self, event: Event) -> tuple[Leaf | Container, int, int]:
        """A scalar, an alias or a flow collection, with its place."""
        text, start, end = self.text, event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            return Leaf(text[start:end], ("alias", event.anchor)), start, end
        if isinstance(event, ScalarEvent):
            end = start + len(text[start:end].rstrip())
            return Leaf(text[start:end], self._scalar(event)), start, end
        if text[start] not in "[{":
            raise UnsupportedError(f"a flow collection with an anchor or tag at character {start}")
        items: list[tuple[int, int, Entry]] = []
        while not isinstance(event := next(self.events), MappingEndEvent | SequenceEndEvent):
            begin, key, head, sep = event.start_mark.index, "", "", ""
            if text[start] == "{":
                if not isinstance(event, ScalarEvent):
                    raise UnsupportedError(f"a key that is no scalar at character {begin}")
                key, behind = event.value, event.end_mark.index
                value, at, finish = self._inline(next(self.events))
                if at == finish:
                    at = finish = self._null(behind)
                head, sep = text[begin:behind], text[behind:at]
            else:
                value, begin, finish = self._inline(event)
            items.append((begin, finish, Entry(key, value, head=head, sep=sep)))
        end = event.end_mark.index
        kind = "map" if text[start] == "{" else "list"
        return (
            flow_container(text, "map" if kind == "map" else "list", (start, end), items),
            start,
            end,
        )

    def _scalar(self, event: ScalarEvent) -> object:
        tag = event.tag or self.resolver.resolve(ScalarNode, event.value, event.implicit)
        return event.value if str(tag).endswith(":str") else (str(tag), event.value)

    def _null(self, behind: int) -> int:
        match = re.compile(r"[ \t]*:?").match(self.text, behind)
        return match.end() if match else behind

    def _tail(self, column: int) -> str:
        """Comments below the last entry that are indented like it."""
        taken = at = self.at
        for line in split_lines(self.text[at : self._skip()]):
            at += len(line)
            if not line.strip():
                continue
            if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) < column:
                break
            taken = at
        begin, self.at = self.at, taken
        return self.text[begin:taken]

    def _skip(self) -> int:
        """Past comments, blank lines and indentation, to the next character that counts."""
        match = _TRIVIA.match(self.text, self.at)
        at = match.end() if match else self.at
        while self.text[at : at + 1] == " ":
            at += 1
        return at

    def _line_end(self, at: int) -> int:
        match = _REST.match(self.text, at)
        if not match:
            raise UnsupportedError(f"unexpected text behind character {at}")
        return match.end()

    def _expect(self, kind: type[Event]) -> Event:
        event = next(self.events)
        if not isinstance(event, kind):
            raise UnsupportedError("not the expected structure")
        return event
