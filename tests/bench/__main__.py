"""`make bench`: everything that is measured, side by side with the alternatives, in one run."""

import os
import runpy
import sys
from datetime import UTC, datetime

# Each is a module with a `main`, and can be run alone: python -m tests.bench.copying
MODULES = ("copying", "demo", "authoring", "agents_load", "containers", "updates")


def main() -> None:
    wanted = sys.argv[1:] or MODULES
    print(f"# Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores")
    for name in wanted:
        sys.argv = [name]
        runpy.run_module(f"tests.bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
