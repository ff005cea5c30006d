"""Jinja filters that validate answers and quote them for files. Pure functions.

A filter `…_problem` returns what to type instead, or an empty string for a valid answer. A valid
answer is safe in every file that contains it.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

# The update engine needs this package in Copier's environment. A missing one is reported by the
# first copy, not by an update a year later.
import ruamel.yaml  # noqa: F401
from jinja2 import Environment
from jinja2.ext import Extension

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Letters that Unicode does not decompose, and umlauts, as German and Danish addresses write them.
TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe"}
    | {"ł": "l", "đ": "d", "ð": "d", "þ": "th"}
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAILBOX = re.compile(r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*")


def customer_name_problem(value: str) -> str:
    """1 to 80 visible characters of any script, on one line."""
    if not value.strip():
        return "Type the company name."
    if value != value.strip():
        return "Remove the spaces before and after the name."
    if len(value) > 80:
        return f"Type at most 80 characters (now {len(value)})."
    # Unicode categories Cc, Cf, Cs, Co, Cn and the line and paragraph separators are not visible.
    if any(
        unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp") for c in value
    ):
        return "Type visible characters only, on one line."
    return ""


def slug_problem(value: str) -> str:
    """2 to 40 characters, safe as the name of a folder, a database and a container."""
    if not SLUG.fullmatch(value) or not 2 <= len(value) <= 40:
        return "Type 2 to 40 characters (a-z, 0-9, single hyphens), first a letter: acme-corp."
    return ""


def email_problem(value: str) -> str:
    """An e-mail address without quotes in its local part."""
    mailbox, _, domain = value.rpartition("@")
    labels = domain.split(".")
    host = len(labels) > 1 and all(LABEL.fullmatch(part) for part in labels)
    if len(value) > 254 or not MAILBOX.fullmatch(mailbox) or not host or labels[-1].isdigit():
        return "Type an e-mail address without quotes, spaces or accents: admin@acme.example."
    return ""


def url_problem(value: str) -> str:
    """An http or https address without credentials, query or fragment."""
    advice = "Type an address without user and password: http://models.acme.example:8000/v1."
    if not re.fullmatch(r"https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~/-]*)?", value):
        return advice
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
        if ":" in host:
            ip_address(host)
    except ValueError:
        return advice
    labels = host.split(".")
    return "" if ":" in host or all(LABEL.fullmatch(part) for part in labels) else advice


def date_problem(value: str) -> str:
    """A calendar date in ISO 8601 format."""
    try:
        return "" if datetime.date.fromisoformat(value).isoformat() == value else _DATE
    except ValueError:
        return _DATE


_DATE = "Type a date as YYYY-MM-DD: 2026-01-31."


def slug(value: str) -> str:
    """Slug of a company name; "customer" if it has no Latin letters."""
    letters = unicodedata.normalize("NFKC", value).lower().translate(TRANSLITERATED)
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    result = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    result = re.sub(r"^[0-9-]+", "", result)[:40].strip("-")
    return result if slug_problem(result) == "" else "customer"


def toml(value: str) -> str:
    """`value` as a TOML basic string: all escapes of JSON strings are valid in TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


FILTERS: tuple[Callable[[str], str], ...] = (
    customer_name_problem,
    date_problem,
    email_problem,
    slug,
    slug_problem,
    toml,
    url_problem,
)


class Answers(Extension):
    """Add the filters of this module to the template's environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters.update({function.__name__: function for function in FILTERS})
        # Copier compiles and renders each part of each path, and some patterns once per file:
        # few different strings, most of them without Jinja delimiters.
        compiled: Callable[[str], object] = environment.from_string
        environment.from_string = cache(  # type: ignore[method-assign,assignment]
            lambda source: compiled(source) if "{" in source else Constant(source)
        )


class Constant:
    """A template without Jinja delimiters."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, *_: object, **__: object) -> str:
        """Return the text; the context has no effect."""
        return self._text
