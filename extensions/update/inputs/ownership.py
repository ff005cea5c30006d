"""Whose a path is, read from `ownership.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pathspec import GitIgnoreSpec

Zone = Literal["framework", "customer", "shared", "generated", "private"]
# Beside the engine as in the template's repository.
TABLE = (
    Path(__file__)
    .resolve()
    .parents[3]
    .joinpath("template/scripts/customer-tools/platform_tools/ownership.toml")
)


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
    """The ownership table: the first rule that matches a path decides."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self._known: dict[str, Rule | None] = {}

    @classmethod
    def load(cls, path: Path = TABLE) -> "Ownership":
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
            ]
        )

    def rule(self, path: str) -> Rule | None:
        """The rule of a path, relative to the project's root."""
        if path not in self._known:
            self._known[path] = next((r for r in self.rules if r.spec.match_file(path)), None)
        return self._known[path]

    def zone(self, path: str) -> Zone:
        """The zone of a path, relative to the project's root."""
        rule = self.rule(path)
        return rule.zone if rule else "framework"
