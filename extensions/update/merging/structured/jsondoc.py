"""JSON. Comments are not JSON, so a file that has some is left to the line merge."""

from __future__ import annotations

import json

from .flow import JSON, parse_value
from .tree import Entry, UnsupportedError, data, plain


def parse(text: str) -> Entry:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnsupportedError(str(error)) from error
    start = len(text) - len(text.lstrip())
    node, end = parse_value(text, start, JSON)
    if data(node) != plain(value):
        raise UnsupportedError("read differently by the standard parser")
    return Entry("", node, lead=text[:start], post=text[end:])
