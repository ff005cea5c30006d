"""Runs a command that must not outlive `platform dev`: `python -m platform_tools.dev.tether …`.

A process that was killed cannot stop what it started, and Vite does not notice its end. This leads
the process group in its place, and ends the group as soon as standard input ends.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """The exit code of the command."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=_end_group_with_parent, daemon=True).start()
    return child.wait()


def _end_group_with_parent() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
