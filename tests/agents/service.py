"""Runs the agents service of the template as a separate process."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from tests.support.ports import free_ports
from tests.support.template import ROOT

TEMPLATE = ROOT / "template"
PYTHON = TEMPLATE / ".venv/bin/python"
HERE = Path(__file__).parent
# Production would refuse a placeholder, or the same for both.
TOKEN, SECRET_KEY = "c51f9e20ab7d4e88" * 4, "88e4d7ba02e9f15c" * 4
WEBHOOK_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PLATFORM = """\
[customer]
name = "Acme"
slug = "acme"
admin_email = "admin@acme.example"
"""
# Seconds in which a service starts or stops, even on a busy machine.
PATIENCE = 180


class Service:
    """One replica of the agents service; several may share a folder and its database."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.root = root
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = root / f"service-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.env = {
            **os.environ,
            "PLATFORM_ROOT": str(root),
            "TEST_AGENTS": str(HERE / "agents"),
            "PYTHONPATH": f"{HERE}{os.pathsep}{TEMPLATE}",
            "SERVICE_TOKEN": TOKEN,
            "SECRET_KEY": SECRET_KEY,
            "AGENTS__RATE_LIMIT": "1000000/minute",
            "AGENTS__MAX_STEPS": "10000",
            **{name: str(value) for name, value in settings.items()},
        }
        (root / "platform.toml").write_text(PLATFORM)

    def migrate(self) -> None:
        """Run the migration job."""
        command = [PYTHON, "-m", "apps.langgraph.src.core.migrate"]
        subprocess.run(command, cwd=TEMPLATE, env=self.env, check=True, capture_output=True)

    def start(self) -> None:
        """Start the process and return when it responds."""
        command = [PYTHON, "-m", "uvicorn", "application:app", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--no-access-log"], cwd=TEMPLATE, env=self.env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._responds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the service does not start:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def kill(self) -> None:
        """End the process as a loss of power would."""
        self.stop(signal.SIGKILL)

    def memory(self) -> float:
        """Resident memory in MiB."""
        assert self.process is not None
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def computed(self) -> float:
        """Seconds for which the processor has worked for the process, in steps of 0.01."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def _responds(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ok", timeout=1) as response:
                return response.status == 200
        except (URLError, OSError):
            return False


@contextmanager
def running(root: Path, **settings: object) -> Iterator[Service]:
    """A migrated, running service, for as long as the block runs."""
    service = Service(root, **settings)
    service.migrate()
    service.start()
    try:
        yield service
    finally:
        service.stop()
