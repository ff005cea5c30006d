"""The real agents service as a process."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

AGENTS = Path(__file__).parent / "agents"
PROJECT = Path(__file__).parents[4]


@dataclass(frozen=True)
class AgentsService:
    """A running agents service; `agents` is the folder of its agents."""

    port: int
    token: str
    agents: Path


@contextmanager
def run_agents_service(root: Path) -> Iterator[AgentsService]:
    """An agents service on a free port, with its data and a copy of `agents` in `root`."""
    agents = Path(shutil.copytree(AGENTS, root / "agents"))
    shutil.copy(agents / "test-agent/graph.py", agents / "sales-agent")
    for graph in Path(__file__).parent.glob("graphs/*.py"):
        folder = agents / graph.stem.replace("_", "-")
        folder.mkdir()
        shutil.copy(graph, folder / "graph.py")
    (agents / "broken-agent").mkdir()
    (agents / "broken-agent/graph.py").write_text("graph = nothing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        service = AgentsService(free.getsockname()[1], secrets.token_hex(32), agents)
    environment = os.environ | {"PLATFORM_ROOT": str(root), "SERVICE_TOKEN": service.token}
    command = [sys.executable, "-m", "apps.api.tests.support.serve_agents", str(agents)]
    process = subprocess.Popen([*command, str(service.port)], cwd=PROJECT, env=environment)
    try:
        _wait_until_up(process, service.port)
        yield service
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the agents service ended with exit code {process.returncode}")
