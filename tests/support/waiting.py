"""Waiting for a condition, a process or another worker of the tests, with a limit."""

import fcntl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def wait_until(condition: Callable[[], object], what: Callable[[], str] = str) -> None:
    """Return when `condition` holds; fail with `what()` after two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen: {what()}")
        time.sleep(0.02)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `condition` holds; fail with the log when the process ends or minutes pass."""
    deadline = time.monotonic() + 180
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"not ready:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


@contextmanager
def once(path: Path) -> Iterator[bool]:
    """Yield True to the one worker that has to make `path`; the others wait and get False."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = path.with_name(path.name + ".done")
        yield not done.exists()
        done.touch()
