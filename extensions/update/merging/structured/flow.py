"""Brackets and commas, as JSON, TOML and YAML's flow style write them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from .tree import Container, Entry, Leaf, UnsupportedError, scalar

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_JSON_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*[\s\S]*?\*/)*")
_JSON_SCALAR = re.compile(r'"(?:[^"\\\n]|\\.)*"|[-+.\w]+')
_TOML_SCALAR = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"{3,5}|' + r"'''[\s\S]*?'{3,5}|"
    r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'|[^\s,\[\]{}#\"'=]+(?: \d[\d:.+Z-]*)?"
)
TOML_KEY = re.compile(r"""(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')""")
DOTTED_KEY = re.compile(rf"{TOML_KEY.pattern}(?:[ \t]*\.[ \t]*{TOML_KEY.pattern})*")


@dataclass(frozen=True)
class Syntax:
    blank: re.Pattern[str]
    scalar: re.Pattern[str]
    key: re.Pattern[str]
    assign: str
    value: Callable[[str], object]
    name: Callable[[str], str]


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise UnsupportedError(str(error)) from error


def toml_name(text: str) -> str:
    """A dotted key, spelled one way: quotes only where a part needs them."""
    return ".".join(
        part if re.fullmatch(r"[\w-]+", part) else json.dumps(part) for part in toml_parts(text)
    )


def toml_parts(text: str) -> list[str]:
    return [str(_toml_value(p)) if p[0] in "\"'" else p for p in TOML_KEY.findall(text)]


JSON = Syntax(_JSON_SPACE, _JSON_SCALAR, _JSON_SCALAR, ":", json.loads, json.loads)
TOML = Syntax(_BLANK, _TOML_SCALAR, DOTTED_KEY, "=", _toml_value, toml_name)


def parse_value(text: str, start: int, syntax: Syntax) -> tuple[Leaf | Container, int]:
    """The value that starts at `start`, and the position behind it."""
    if text[start : start + 1] not in ("[", "{"):
        match = syntax.scalar.match(text, start)
        if not match:
            raise UnsupportedError(f"no value at character {start}")
        return Leaf(match[0], scalar(syntax.value(match[0]))), match.end()
    kind: Literal["map", "list"] = "list" if text[start] == "[" else "map"
    close = "]" if kind == "list" else "}"
    spans: list[tuple[int, int, Entry]] = []
    at = _skip(text, start + 1, syntax)
    while text[at : at + 1] != close:
        begin = at
        key = head = sep = ""
        if kind == "map":
            match = syntax.key.match(text, at)
            assign = match and _skip(text, match.end(), syntax)
            if not match or assign is None or text[assign : assign + 1] != syntax.assign:
                raise UnsupportedError(f"no key at character {at}")
            key, head = syntax.name(match[0]), match[0]
            at = _skip(text, assign + 1, syntax)
            sep = text[match.end() : at]
        value, at = parse_value(text, at, syntax)
        spans.append((begin, at, Entry(key, value, head=head, sep=sep)))
        at = _skip(text, at, syntax)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1, syntax)
        elif text[at : at + 1] != close:
            raise UnsupportedError(f"neither a comma nor {close} at character {at}")
    return flow_container(text, kind, (start, at + 1), spans), at + 1


def flow_container(
    text: str,
    kind: Literal["map", "list"],
    span: tuple[int, int],
    items: list[tuple[int, int, Entry]],
) -> Container:
    """A container over `span` with the entries found; what stands between goes to the entries."""
    keys = [entry.key for _, _, entry in items]
    if kind == "map" and len(set(keys)) < len(keys):
        raise UnsupportedError("a key occurs twice")
    start, end = span
    entries: list[Entry] = []
    lead, trailing, behind = "", False, start + 1
    for number, (begin, finish, entry) in enumerate(items):
        gap = text[behind:begin]
        if number == 0:
            lead = gap
        else:
            _, post, lead = _split(gap)
            entries[-1] = replace(entries[-1], post=post)
        entries.append(replace(entry, lead=lead, first=number == 0))
        behind = finish
    tail = text[behind : end - 1]
    if entries:
        trailing, post, tail = _split(tail)
        entries[-1] = replace(entries[-1], post=post)
    blank = [lead for entry in entries if not (lead := _below_comments(str(entry.lead))).strip()]
    leads = (blank[0], blank[-1]) if blank else ("", " ")
    if len(entries) == 1:
        leads = (leads[0], leads[0] if "\n" in leads[0] else " ")
    return Container(
        kind,
        tuple(entries),
        flow=True,
        brackets=(text[start], text[end - 1]),
        leads=leads,
        tail=tail,
        trailing_comma=trailing,
    )


def _below_comments(lead: str) -> str:
    above, newline, indentation = lead.rpartition("\n")
    return newline + indentation if above.strip() else lead


def _split(gap: str) -> tuple[bool, str, str]:
    """What stands behind an item: a comma or not, the rest of its line, what is above the next."""
    before, comma, after = gap.partition(",")
    if before.strip() or not comma:  # a comma in a comment is none
        comma, after = "", gap
        before = ""
    if before:
        raise UnsupportedError("white space before a comma")
    post, newline, lead = after.partition("\n")
    # What is not blank here is a comment.
    return (bool(comma), post, newline + lead) if post.strip() else (bool(comma), "", after)


def _skip(text: str, at: int, syntax: Syntax) -> int:
    match = syntax.blank.match(text, at)
    return match.end() if match else at
