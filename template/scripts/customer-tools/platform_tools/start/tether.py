"""Runs a command that must not outlive `platform dev`: `python -m platform_tools.start.tether …`.

A killed `platform dev` cannot stop its children, and Vite does not notice. The tether leads the
process group of the command and ends the group when its standard input ends.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command; return its exit code."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=_end_group_with_parent, daemon=True).start()
    return child.wait()


def _end_group_with_parent() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
