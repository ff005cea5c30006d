"""Aegra, the other free server of the protocol, with the same graphs on the same PostgreSQL."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agents.service import HERE, PATIENCE
from tests.bench.measuring import run
from tests.support.ports import free_ports
from tests.support.template import ENVIRONMENT

# SQLAlchemy wants greenlet for what Aegra uses of it, and Aegra does not name it.
PACKAGES = ("aegra-api==0.6.0", "greenlet")


@contextmanager
def aegra(folder: Path, url: str) -> Iterator[int]:
    """An Aegra of its own, as it comes, without authentication; yields its port.

    It has an environment of its own in `folder`; its migrations run at its start.
    """
    python = folder / "venv/bin/python"
    env = {**os.environ, **ENVIRONMENT}
    run("uv", "venv", folder / "venv", env=env)
    run("uv", "pip", "install", "--python", python, *PACKAGES, env=env)
    graphs = {}
    for name in ("echo", "talker"):
        shutil.copy(HERE / "agents" / name / "graph.py", folder / f"{name}.py")
        graphs[name] = f"./{name}.py:graph"
    (folder / "aegra.json").write_text(json.dumps({"graphs": graphs}))
    [port] = free_ports(1)
    settings = {
        "AEGRA_CONFIG": str(folder / "aegra.json"),
        "DATABASE_URL": url.replace("+psycopg", ""),
        "AUTH_TYPE": "noop",
        "ENV_MODE": "PRODUCTION",
        "LOG_LEVEL": "WARNING",
    }
    command = [python, "-m", "uvicorn", "aegra_api.main:app", "--port", str(port)]
    with (folder / "aegra.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--no-access-log", "--log-level", "warning"],
            cwd=folder,
            env={**env, **settings},
            stdout=log,
            stderr=log,
        )
        try:
            _wait(server, port, folder / "aegra.log")
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Aegra does not start:\n{log.read_text()}") from None
            time.sleep(0.1)
