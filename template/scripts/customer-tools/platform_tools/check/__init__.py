"""What checks: `platform doctor`, one check after the other, and `platform verify`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    status: Literal["ok", "warn", "fail"]
    name: str
    message: str
    fix: str = ""
    """What to do, in one or more lines; empty if nothing, or if the message says it."""
