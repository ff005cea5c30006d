"""Files of one setting or one pattern per line: env files, .gitignore, .dockerignore."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from .tree import Container, Entry, Leaf, UnsupportedError

_SETTING = re.compile(
    r"""(?P<lead>(?:[ \t]*(?:\#[^\n]*)?\n)*[ \t]*)
    (?P<head>(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*))(?P<sep>[ \t]*=[ \t]*)
    (?P<value>"(?:[^"\\]|\\[\s\S])*"|'[^']*'|[^\n]*?)(?P<post>[ \t]*(?:(?<=[ \t])\#[^\n]*)?\n)""",
    re.VERBOSE,
)
_PATTERN = re.compile(r"(?P<lead>(?:[ \t]*(?:#[^\n]*)?\n)*)(?P<value>[^\n]*\S[^\n]*)(?P<post>\n)")


def parse_env(text: str) -> Entry:
    return _parse(text, _SETTING, "map")


def parse_ignore(text: str) -> Entry:
    return _parse(text, _PATTERN, "list")


def _parse(text: str, pattern: re.Pattern[str], kind: Literal["map", "list"]) -> Entry:
    entries, at, seen = [], 0, Counter[str]()
    while match := pattern.match(text, at):
        found = {"key": "", "head": "", "sep": "", **match.groupdict()}
        value, post = Leaf(found["value"], found["value"]), found["post"]
        seen[found["key"]] += 1
        count = seen[found["key"]]  # a setting may stand twice; the last one counts
        key = f"{found['key']}#{count}" if kind == "map" and count > 1 else found["key"]
        entries.append(Entry(key, value, found["lead"], found["head"], found["sep"], post))
        at = match.end()
    tail = text[at:]
    if any(line.strip() and not line.lstrip().startswith("#") for line in tail.split("\n")):
        raise UnsupportedError("a line that is no setting")
    return Entry("", Container(kind, tuple(entries), tail=tail))
