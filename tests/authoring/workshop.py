"""A copy of the parts of a project that an agent's author uses, with a running agents service."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.ports import free_ports
from tests.support.template import ROOT
from tests.support.waiting import wait_for

VENV = ROOT / "template/.venv"
PARTS = ("apps/langgraph", "shared", "scripts/customer-tools", "docs/customer")
FILES = ("langgraph.json", "pyproject.toml")
PLATFORM = """\
[customer]
name = "Acme"
slug = "acme"
admin_email = "admin@acme.example"
"""
SECRET = "0123456789abcdef" * 4
# What `uv run` does in a project whose environment is in place.
UV = f'#!/bin/sh\nshift\ncommand="$1"\nshift\nexec "{VENV}/bin/$command" "$@"\n'


class Workshop:
    """A project without API and web; `start` and `stop` its agents service."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.agents = root / "apps/langgraph/src/agents"
        self.log = root / "service.log"
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        for part in PARTS:
            shutil.copytree(
                ROOT / "template" / part,
                root / part,
                ignore=shutil.ignore_patterns("__pycache__", ".*", "node_modules"),
            )
        for name in FILES:
            shutil.copy(ROOT / "template" / name, root)
        (root / "platform.toml").write_text(PLATFORM)
        (root / ".env").write_text(f"SECRET_KEY={SECRET}\nSERVICE_TOKEN={SECRET}\n")
        (root / "bin").mkdir()
        (root / "bin/uv").write_text(UV)
        (root / "bin/uv").chmod(0o755)
        self.env = {
            **os.environ,
            "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{root}{os.pathsep}{root / 'scripts/customer-tools'}",
            "PORTS__LANGGRAPH": str(self.port),
        }
        self.env.pop("PLATFORM_ROOT", None)

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command in the project; return both of its outputs."""
        done = subprocess.run(
            command, cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self) -> None:
        self.run("uv", "run", "python", "-m", "apps.langgraph.src.core.migrate")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [VENV / "bin/uvicorn", "apps.langgraph.src.core.app:app", f"--port={self.port}"],
                cwd=self.root,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(self._is_up, self._process, self.log)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(60)
            finally:
                self._process.kill()

    def generate(self, name: str, **body: Any) -> dict[str, Any]:
        """The agent's reply. Raises `HTTPError`."""
        request = urllib.request.Request(
            f"{self.url}/{name}/generate",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            result: dict[str, Any] = json.load(response)
        return result

    def output(self, name: str, prompt: str) -> str:
        """The text of the agent's reply; empty if the request fails."""
        try:
            return self.generate(name, prompt=prompt)["output"] or ""
        except urllib.error.HTTPError as error:
            error.close()
            return ""

    def await_that(self, condition: Callable[[], object]) -> None:
        assert self._process
        wait_for(condition, self._process, self.log)

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ok", timeout=5):
                return True
        except OSError:
            return False


def open_workshop(root: Path) -> Workshop:
    """A workshop in a new folder, for scripts that are no tests."""
    root.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(root)
    workshop.start()
    return workshop
