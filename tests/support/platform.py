"""A generated project that is running with `platform dev`."""

import json
import os
import re
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Platform:
    """A running platform: addresses, the administrator's login, and its folder."""

    root: Path
    api: str
    web: str
    langgraph: str
    email: str
    password: str
    log: Path

    def run(self, *command: str) -> str:
        """Run a command in the project; return what it prints."""
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def running(root: Path) -> Iterator[Platform]:
    """Run `platform dev` in a set-up project on free ports, until the context ends."""
    names = ("API", "WEB", "LANGGRAPH")
    settings = (root / ".env").read_text()
    ports = "".join(f"PORTS__{n}={p}\n" for n, p in zip(names, free_ports(3), strict=True))
    (root / ".env").write_text(re.sub(r"(?m)^PORTS__.*\n", "", settings) + ports)
    log, ready = root / "data" / "dev.log", root / "data" / "dev.json"
    ready.unlink(missing_ok=True)
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["uv", "run", "platform", "dev"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(ready.exists, process, log)
            addresses = json.loads(ready.read_text())
            email = tomllib.loads((root / "platform.toml").read_text())["customer"]["admin_email"]
            shown = subprocess.run(
                ["uv", "run", "platform", "admin", "reset-password", email],
                cwd=root,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            yield Platform(
                root=root,
                api=addresses["api"],
                web=addresses["web"],
                langgraph=addresses["langgraph"],
                email=email,
                password=json.loads(shown)["password"],
                log=log,
            )
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)
