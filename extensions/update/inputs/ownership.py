"""Whose a path is: what the customer claims, then the framework's table (`ownership.toml`)."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pathspec import GitIgnoreSpec

from extensions.update.errors import PlatformError
from extensions.update.objects.git import Git

Zone = Literal["framework", "customer", "shared", "generated", "private"]
IN_PROJECT = "scripts/customer-tools/platform_tools/ownership.toml"
"""Where a project has its copy of the table, to read."""
TABLE = Path(__file__).resolve().parents[3] / "template" / IN_PROJECT
"""The table that counts: the target version's, beside the engine as in the template."""
SETTINGS = "platform.toml"
"""The project's settings, with the claims."""
_EXAMPLE = """\
[ownership]
customer = ["/apps/web/src/core/conversations/", "/shared/logging.py"]"""


@dataclass(frozen=True)
class Rule:
    """One row of the table: the zone of the paths that match, what makes them and from what."""

    zone: Zone
    paths: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    command: str = ""

    @cached_property
    def spec(self) -> GitIgnoreSpec:
        return GitIgnoreSpec.from_lines(self.paths)

    @cached_property
    def inputs_spec(self) -> GitIgnoreSpec:
        return GitIgnoreSpec.from_lines(self.inputs)


class Ownership:
    """The claims and the table. In the table the first rule that matches a path decides."""

    def __init__(self, rules: list[Rule], claims: Iterable[str] = ()) -> None:
        """`claims` are .gitignore patterns of the customer's (see `read_claims`)."""
        self.rules = rules
        self._claims = Rule("customer", tuple(claims))
        self._known: dict[str, Rule | None] = {}

    @classmethod
    def load(cls, claims: Iterable[str] = (), path: Path = TABLE) -> "Ownership":
        """The ownership of a project with these claims."""
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            [
                Rule(
                    rule["zone"],
                    tuple(rule["paths"]),
                    tuple(rule.get("inputs", ())),
                    rule.get("command", ""),
                )
                for rule in table["rule"]
            ],
            claims,
        )

    @classmethod
    def of(cls, git: Git, commit: str = "HEAD") -> "Ownership":
        """The ownership of the project in git's folder, with the claims of a commit."""
        return cls.load(read_claims(git, commit))

    def rule(self, path: str) -> Rule | None:
        """The rule of the table for a path, relative to the project's root."""
        if path not in self._known:
            self._known[path] = next((r for r in self.rules if r.spec.match_file(path)), None)
        return self._known[path]

    def listed_zone(self, path: str) -> Zone:
        """The zone of a path in the table, whoever claims it."""
        rule = self.rule(path)
        return rule.zone if rule else "framework"

    def zone(self, path: str) -> Zone:
        """The zone of a path: the customer's where it is claimed."""
        return "customer" if self.claims(path) else self.listed_zone(path)

    def claims(self, path: str) -> bool:
        """Whether the customer claims a path.

        A claim on a private path changes nothing, and one on platform.toml has no effect: the
        update writes changed answers there.
        """
        return self.matches_claim(path) and path != SETTINGS and self.listed_zone(path) != "private"

    def matches_claim(self, path: str) -> bool:
        """Whether a pattern of the claims matches a path."""
        return bool(self._claims.paths) and self._claims.spec.match_file(path)


def read_claims(git: Git, commit: str = "HEAD") -> tuple[str, ...]:
    """The paths that platform.toml claims for the customer, as .gitignore patterns.

    `git` works in the project's folder. Raises `PlatformError` when platform.toml of the commit is
    not TOML, or its claims are not a list of patterns.
    """
    if (text := git.attempt("cat-file", "blob", f"{commit}:./{SETTINGS}")) is None:
        return ()
    try:
        return _patterns(tomllib.loads(text).get("ownership", {}))
    except ValueError as error:
        raise PlatformError(
            f"{SETTINGS} of the last commit cannot be used: {error}.",
            f"Fix the file and commit it. Paths are claimed like this:\n\n{_EXAMPLE}",
            2,
        ) from None


def _patterns(table: Any) -> tuple[str, ...]:
    if not isinstance(table, dict):
        raise ValueError("[ownership] is not a table")
    if unknown := sorted(table.keys() - {"customer"}):
        raise ValueError(f"[ownership] has the unknown key {unknown[0]}; its only key is customer")
    patterns = table.get("customer", [])
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        raise ValueError("customer in [ownership] is not a list of texts")
    for pattern in patterns:
        if not _matches_something(pattern):
            raise ValueError(
                f"customer in [ownership] has {pattern!r}, and no path can match that; paths begin "
                "at the project's folder, with /"
            )
    return tuple(patterns)


def _matches_something(pattern: str) -> bool:
    try:
        (compiled,) = GitIgnoreSpec.from_lines([pattern]).patterns or (None,)
    except ValueError:
        return False
    relative = pattern.lstrip("!").startswith(("./", "../"))
    return compiled is not None and compiled.include is not None and not relative
