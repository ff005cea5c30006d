"""Docker Compose of a generated project, on the machine's Docker Engine."""

import json
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Stack:
    """A project's containers, under a Compose project name of their own."""

    root: Path
    file: str
    name: str
    env: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands: Compose must see the project's own files only."""
        own = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COMPOSE_", "PORTS__", "DATABASE__"))
        }
        return own | self.env

    def compose(self, *arguments: str, code: int | None = 0, timeout: float = 1200) -> str:
        """Run `docker compose` in the project; its output and errors. `code` None: any."""
        done = subprocess.run(
            ["docker", "compose", "--file", self.file, "--project-name", self.name, *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        if code is not None and done.returncode != code:
            pytest.fail(f"docker compose {' '.join(arguments)}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def up(self, *services: str) -> None:
        """Start services, all by default, and wait until they are healthy."""
        try:
            self.compose("up", "--detach", "--wait", "--wait-timeout", "500", *services)
        except pytest.fail.Exception as error:
            pytest.fail(f"{error}\n{self.compose('ps', '--all')}\n{self.logs()}")

    def logs(self, *services: str) -> str:
        """The end of what the services have logged."""
        return self.compose("logs", "--no-color", "--tail", "60", *services)

    def exec(self, service: str, *command: str, user: str = "") -> str:
        """Run a command in a running container."""
        return self.compose("exec", "-T", *(["--user", user] if user else []), service, *command)

    def container(self, service: str) -> str:
        """The ID of the one container of a service."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        shown: list[dict[str, Any]] = json.loads(docker("inspect", self.container(service)))
        return shown[0]

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", code=None)


def docker(*arguments: str, code: int = 0) -> str:
    """Run `docker`; its output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def wait_for_page(url: str, seconds: float = 60) -> str:
    """The page at `url` as soon as it answers with success; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError as error:
            if time.monotonic() > deadline:
                pytest.fail(f"{url} did not answer: {error}")
        time.sleep(0.1)
