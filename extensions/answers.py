"""Jinja filters that check answers and write them safely into files; pure functions of their input.

A filter `…_problem` returns what to type instead, or an empty text when the answer is fine. What it
lets through is safe in every file that the answer reaches.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

# Copier's own Python runs the update engine, which needs these: whoever lacks them learns it from
# the first copy, not from an update a year later.
import ruamel.yaml  # noqa: F401
from jinja2 import Environment
from jinja2.ext import Extension

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAILBOX = re.compile(r"[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*")


def customer_name_problem(value: str) -> str:
    """Any script and punctuation, 1 to 80 characters on one line."""
    if not value.strip():
        return "Type the company's name."
    if value != value.strip():
        return "Leave out the spaces before and after the name."
    if len(value) > 80:
        return f"Type at most 80 characters; this has {len(value)}."
    # Cc, Cf, Cs, Co, Cn and the line and paragraph separators: invisible or not text.
    if any(
        unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp") for c in value
    ):
        return "Type visible characters only, on one line."
    return ""


def slug_problem(value: str) -> str:
    """2 to 40 characters that are safe as the name of a folder, a database and a container."""
    if not SLUG.fullmatch(value) or not 2 <= len(value) <= 40:
        return "Type 2 to 40 of a-z, 0-9 and single hyphens, starting with a letter: acme-corp."
    return ""


def domain_problem(value: str) -> str:
    """A host name of at least two labels, lower case, without scheme, port or path."""
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(LABEL.fullmatch(part) for part in labels):
        return "Type a host name in lower case, without https:// or port: platform.acme.example."
    if labels[-1].isdigit():
        return "Type a host name, not an IP address: platform.acme.example."
    return ""


def email_problem(value: str) -> str:
    """An address of the common form; a local part in quotes is refused."""
    mailbox, _, domain = value.rpartition("@")
    if len(value) > 254 or not MAILBOX.fullmatch(mailbox) or domain_problem(domain):
        return "Type an e-mail address in plain letters: admin@acme.example."
    return ""


def url_problem(value: str) -> str:
    """An http or https address without credentials, query or fragment."""
    advice = "Type an address like http://models.acme.example:8000/v1, without user or password."
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
    """A calendar date as in ISO 8601."""
    try:
        return "" if datetime.date.fromisoformat(value).isoformat() == value else _DATE
    except ValueError:
        return _DATE


_DATE = "Type a date as YYYY-MM-DD: 2026-01-31."


def slug(value: str) -> str:
    """Slug of a company's name; "customer" where no Latin letters are left."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    result = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    result = re.sub(r"^[0-9-]+", "", result)[:40].strip("-")
    return result if slug_problem(result) == "" else "customer"


def toml(value: str) -> str:
    """`value` as a TOML basic string; the escapes of JSON's strings are all valid there."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


FILTERS: tuple[Callable[[str], str], ...] = (
    customer_name_problem,
    date_problem,
    domain_problem,
    email_problem,
    slug,
    slug_problem,
    toml,
    url_problem,
)


class Answers(Extension):
    """Adds the filters of this module to the template's environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters.update({function.__name__: function for function in FILTERS})
        # Copier compiles every part of every path, and some patterns once for each file; most of
        # them are the same few strings.
        environment.from_string = cache(environment.from_string)  # type: ignore[method-assign,assignment]
