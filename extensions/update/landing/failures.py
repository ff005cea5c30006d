"""What of a failed verification failed before the update as well."""

import re
from dataclasses import dataclass

_STEPS = re.compile(r"^Failed: (.+)$", re.M)
# As pytest's summary has them: name, reason.
_TEST = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.M)
_TESTS = "python tests"


@dataclass(frozen=True)
class Failures:
    """The failed steps of a `platform verify`, and the failed tests of Python."""

    steps: list[str]
    tests: list[str]

    @classmethod
    def of(cls, output: str) -> "Failures":
        """Read what `platform verify` has printed."""
        steps = [name for line in _STEPS.findall(output)[-1:] for name in line.split(", ")]
        return cls(steps, list(dict.fromkeys(_TEST.findall(output))))

    def since(self, before: "Failures") -> str:
        """Say which failures were there before, and which are new."""
        named = bool(self.tests and before.tests)
        mine, earlier = (
            [one for one in (*each.steps, *each.tests) if one != _TESTS or not named]
            for each in (self, before)
        )
        found = (
            ("Failed before the update as well:", [one for one in mine if one in earlier]),
            ("Did not fail before the update:", [one for one in mine if one not in earlier]),
        )
        return "\n".join("\n  ".join([title, *names]) for title, names in found if names)
