"""What `platform doctor` looks at: this machine, the settings' values, the project's code."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: "fail" must be mended, "warn" should be looked at."""

    status: Literal["ok", "warn", "fail"]
    name: str
    message: str
    mend: str = ""
    """What to do, as one line or more; empty when all is well or the message says it."""
