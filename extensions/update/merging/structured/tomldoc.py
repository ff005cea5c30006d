"""TOML: tables, each with its header, and the settings in them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace

from .flow import (
    DOTTED_KEY,
    TOML,
    parse_value,
    toml_name,
    toml_parts,
)
from .tree import Container, Entry, Leaf, UnsupportedError, plain

_TRIVIA = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({DOTTED_KEY.pattern})[ \t]*\]\]?")
_ASSIGN = re.compile(rf"([ \t]*)({DOTTED_KEY.pattern})([ \t]*=[ \t]*)")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?\n")


@dataclass(frozen=True)
class _Table:
    path: tuple[str, ...]
    array: bool
    entry: Entry
    settings: Container


def parse(text: str) -> Entry:
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnsupportedError(str(error)) from error
    top, at = _settings(text, 0)
    tables: list[_Table] = []
    while at < len(text):
        table, at = _table(text, at)
        tables.append(table)
    root = _with_tables(top, _nest(tables, 0))
    if _value(root) != plain(value):
        raise UnsupportedError("read differently by the standard parser")
    return Entry("", root)


def _settings(text: str, at: int) -> tuple[Container, int]:
    """Settings up to the next header. Comments right behind the last one stay with them."""
    entries = []
    while True:
        begin = _end(_TRIVIA, text, at)
        match = _ASSIGN.match(text, begin)
        if not match:
            break
        value, end = parse_value(text, match.end(), TOML)
        line_end = _end(_REST, text, end)
        lead = text[at:begin] + match[1]
        name, post = toml_name(match[2]), text[end:line_end]
        entries.append(Entry(name, value, lead, match[2], match[3], post))
        at = line_end
    if len({entry.key for entry in entries}) < len(entries):
        raise UnsupportedError("a key occurs twice")
    tail = text[at:begin]
    if begin < len(text):
        above, blank, _ = tail.partition("\n\n")
        tail = f"{above}\n" if blank and above and above[0] != "\n" else ""
    return Container("map", tuple(entries), tail=tail, tables_last=True), at + len(tail)


def _table(text: str, at: int) -> tuple[_Table, int]:
    begin = _end(_TRIVIA, text, at)
    match = _HEADER.match(text, begin)
    if not match:
        raise UnsupportedError(f"no header at character {begin}")
    line_end = _end(_REST, text, match.end())
    settings, end = _settings(text, line_end)
    post = text[match.end() : line_end]
    entry = Entry("", settings, lead=text[at:begin], head=match[0], post=post)
    return _Table(tuple(toml_parts(match[2])), match[1] == "[[", entry, settings), end


def _nest(tables: list[_Table], depth: int) -> list[Entry]:
    """The tables, below `depth` parts of their path; an array's elements hold their subtables."""
    entries: list[Entry] = []
    while tables:
        table = tables[0]
        key = toml_name(".".join(map(_quoted, table.path[depth:])))
        if not table.array:
            entries.append(replace(table.entry, key=key))
            tables = tables[1:]
            continue
        elements = []
        while tables and tables[0].array and tables[0].path == table.path:
            count = 1
            while count < len(tables) and _below(tables[count].path, table.path):
                count += 1
            below = _nest(tables[1:count], len(table.path))
            value = _with_tables(tables[0].settings, below)
            elements.append(replace(tables[0].entry, value=value))
            tables = tables[count:]
        entries.append(Entry(key, Container("list", tuple(elements))))
    return entries


def _with_tables(settings: Container, tables: list[Entry]) -> Container:
    """Settings with the tables below them, in one mapping."""
    if tables:
        tables[0] = replace(tables[0], lead=f"{settings.tail}{tables[0].lead}")
        settings = replace(settings, entries=(*settings.entries, *tables), tail="")
    if len({entry.key for entry in settings.chosen()}) < len(settings.entries):
        raise UnsupportedError("an array of tables in several places")
    return settings


def _below(path: tuple[str, ...], parent: tuple[str, ...]) -> bool:
    return len(path) > len(parent) and path[: len(parent)] == parent


def _value(node: Leaf | Container) -> object:
    if isinstance(node, Leaf):
        return node.data
    if node.kind == "list":
        return [_value(entry.value) for entry in node.chosen()]
    result: dict[str, object] = {}
    for entry in node.chosen():
        value, parts = _value(entry.value), toml_parts(entry.key)
        table = result
        for part in parts if isinstance(value, dict) else parts[:-1]:
            found = table.setdefault(part, {})
            if not isinstance(found, dict):
                raise UnsupportedError(f"{entry.key} is a table and a value")
            table = found
        if isinstance(value, dict):
            table.update(value)
        else:
            table[parts[-1]] = value
    return result


def _quoted(part: str) -> str:
    return (
        part
        if re.fullmatch(r"[\w-]+", part)
        else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    if not match:
        raise UnsupportedError(f"unexpected text at character {at}")
    return match.end()
