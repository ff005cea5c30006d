"""A `platform dev` under a test's control, and the processes of a project."""

import http.client
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from tests.support.waiting import wait_until


def processes(root: Path) -> dict[int, str]:
    """The commands of all processes in this project, by process ID."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            folder = (entry / "cwd").readlink()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if folder.is_relative_to(root) and command:
            found[int(entry.name)] = command
    return found


@dataclass
class Dev:
    """A `platform dev` that a test controls; `settings` is the folder of its `.env` and data."""

    root: Path
    settings: Path
    process: subprocess.Popen[bytes]
    log: Path
    addresses: dict[str, str] = field(default_factory=dict)

    def said(self, text: str) -> int:
        """How often `text` is in the log."""
        return self.log.read_text(errors="replace").count(text)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Return when `text` is in the log `times` times."""
        wait_until(lambda: self.said(text) >= times, lambda: f"{text}\n{self.log.read_text()}")

    def ready(self) -> "Dev":
        """Wait until everything runs; return this object."""
        self.wait_for("Ctrl-C stops everything")
        self.addresses = json.loads((self.settings / "data" / "dev.json").read_text())
        return self

    def get(self, service: str, path: str) -> tuple[int, str]:
        """Status and body of a request on a new connection."""
        connection = http.client.HTTPConnection(
            urlsplit(self.addresses[service]).netloc, timeout=60
        )
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def worker(self, service: str) -> int:
        """The newest process that serves `apps/SERVICE`."""
        found = [pid for pid, line in processes(self.root).items() if f"apps.{service}.src" in line]
        return max(found)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def run_dev(
    root: Path, log: Path, *arguments: str, settings: Path | None = None, terminal: bool = False
) -> Iterator[Dev]:
    """Run `platform dev`; afterwards none of its processes is left, even if a test fails.

    Its output goes to `log`, with `terminal` through a terminal.
    """
    with _terminal(log) if terminal else log.open("wb") as output:
        process = subprocess.Popen(
            [root / ".venv/bin/platform", "dev", *arguments],
            cwd=root,
            env={**os.environ, "PLATFORM_ROOT": str(settings or root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    dev = Dev(root, settings or root, process, log)
    try:
        yield dev
    finally:
        if process.poll() is None:
            dev.stop(signal.SIGTERM)
        for pid in processes(root):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def _terminal(log: Path) -> Iterator[int]:
    """A terminal for another process, whose text is written to `log`."""
    ours, theirs = pty.openpty()
    file = log.open("wb", buffering=0)

    def copy() -> None:
        with file, suppress(OSError):  # EIO: nobody writes any more
            while text := os.read(ours, 65536):
                file.write(text)
        os.close(ours)

    Thread(target=copy, daemon=True).start()
    yield theirs
    os.close(theirs)
