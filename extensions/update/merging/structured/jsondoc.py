"""JSON, with the comments and trailing commas of `tsconfig.json` and editors' settings."""

from __future__ import annotations

import json
import re

from .flow import JSON, parse_value
from .tree import Entry, UnsupportedError, data, plain

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*[\s\S]*?\*/")
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")


def parse(text: str) -> Entry:
    try:
        value = json.loads(_TRAILING_COMMA.sub(r"\1", _COMMENT.sub(r"\1", text)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnsupportedError(str(error)) from error
    match = JSON.blank.match(text)
    start = match.end() if match else 0
    node, end = parse_value(text, start, JSON)
    if data(node) != plain(value):
        raise UnsupportedError("read differently by the standard parser")
    return Entry("", node, lead=text[:start], post=text[end:])
