"""The API and the agents service as processes that a test can kill and restart."""

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.support.waiting import wait_until

TEMPLATE = Path(__file__).parents[2] / "template"
PYTHON = TEMPLATE / ".venv/bin/python"
AGENT = TEMPLATE / "apps/api/tests/support/agents/test-agent"
EMAIL = "admin@acme.example"
PLATFORM_TOML = f"""\
[customer]
name = "Acme"
slug = "acme"
admin_email = "{EMAIL}"
"""


@dataclass
class Services:
    """The services of one project; `root` holds its settings and data.

    `database_url` empty means SQLite.
    """

    root: Path
    api_port: int
    langgraph_port: int
    database_url: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    password: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def address(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.api_port}"

    def prepare(self) -> None:
        """Write the settings, migrate, and create the administrator."""
        self.write_settings()
        self.run("apps.api.src.core.migrate")
        ensured = self.run("apps.api.src.core.accounts.admin", "ensure")
        self.password = json.loads(ensured)["password"]

    def write_settings(self) -> None:
        """Write the settings and the agents."""
        (self.root / "platform.toml").write_text(PLATFORM_TOML)
        values = {
            "SECRET_KEY": secrets.token_hex(32),
            "SERVICE_TOKEN": self.token,
            "PORTS__API": self.api_port,
            "PORTS__LANGGRAPH": self.langgraph_port,
            "AGENTS__RATE_LIMIT": "100000/minute",
            "AGENTS__LEASE_SECONDS": 2,
        }
        if self.database_url:
            values |= {"DATABASE__KIND": "postgresql", "DATABASE__URL": self.database_url}
        (self.root / ".env").write_text("".join(f"{k}={v}\n" for k, v in values.items()))
        shutil.copytree(AGENT, self.root / "agents" / AGENT.name)

    def run(self, module: str, *arguments: str) -> str:
        """Run a module of the platform; return its output."""
        done = subprocess.run(
            [PYTHON, "-m", module, *arguments],
            cwd=TEMPLATE,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process."""
        return os.environ | {"PLATFORM_ROOT": str(self.root)}

    def start_agents(self) -> None:
        """Start the agents service with the agents of the API's tests."""
        module, folder = "apps.api.tests.support.serve_agents", str(self.root / "agents")
        self._start("agents", "-m", module, folder, str(self.langgraph_port))
        self._wait_for_port("agents", f"http://127.0.0.1:{self.langgraph_port}/ok")

    def start_api(self, name: str = "api", port: int | None = None) -> None:
        """Start an API process; all share the database."""
        port = port or self.api_port
        app = "apps.api.src.core.app:app"
        grace = "--timeout-graceful-shutdown=2"
        self._start(name, "-m", "uvicorn", app, f"--port={port}", "--no-proxy-headers", grace)
        self._wait_for_port(name, f"http://127.0.0.1:{port}/health")

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process and wait for its end."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(30)

    def stop(self) -> None:
        """Kill all processes."""
        for name in list(self.processes):
            self.kill(name)

    @contextmanager
    def browser(
        self, port: int | None = None, account: dict[str, str] | None = None
    ) -> Iterator[httpx2.Client]:
        """A client that is signed in, as the administrator unless `account` says otherwise."""
        address = f"http://127.0.0.1:{port or self.api_port}"
        with httpx2.Client(base_url=address, timeout=60) as client:
            credentials = account or {"email": EMAIL, "password": self.password}
            client.post("/auth/login", json=credentials).raise_for_status()
            yield client

    def submitted(self, conversation: "Conversation") -> bool:
        """Whether the agents service has a run of the conversation."""
        thread = conversation.url.removeprefix("/conversations/")
        response = httpx2.get(
            f"http://127.0.0.1:{self.langgraph_port}/threads/{thread}/runs",
            headers={"X-Api-Key": self.token, "X-Platform-User": conversation.user_id},
        )
        return response.status_code == 200 and response.json() != []

    def _start(self, name: str, *arguments: str) -> None:
        with (self.root / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [PYTHON, *arguments],
                cwd=TEMPLATE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait_for_port(self, name: str, url: str) -> None:
        def is_up() -> bool:
            assert self.processes[name].poll() is None, (self.root / f"{name}.log").read_text()
            try:
                return httpx2.get(url).is_success
            except httpx2.TransportError:
                return False

        wait_until(is_up)


def python(project: Services, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of the platform."""
    return subprocess.run(
        [PYTHON, "-c", code],
        cwd=TEMPLATE,
        env=project.environment,
        capture_output=True,
        text=True,
    )


class Conversation:
    """A conversation, through the API."""

    def __init__(self, client: httpx2.Client, url: str = "") -> None:
        self.client = client
        if not url:
            response = client.post("/conversations", json={"agent": "test-agent"})
            assert response.status_code == 201, response.text
            url = f"/conversations/{response.json()['id']}"
        self.url = url
        self.user_id = client.get("/auth/me").raise_for_status().json()["id"]

    @contextmanager
    def ask(self, prompt: str) -> Iterator["Stream"]:
        """Send a prompt; leaving the context closes the connection."""
        url = f"{self.url}/messages"
        with self.client.stream("POST", url, json={"prompt": prompt}) as response:
            assert response.status_code == 200, response.read()
            yield Stream(response)

    @contextmanager
    def attach(self, last_event_id: str = "") -> Iterator["Stream"]:
        """Stream the last reply again."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        with self.client.stream("GET", f"{self.url}/stream", headers=headers) as response:
            assert response.status_code == 200, response.read()
            yield Stream(response)

    @property
    def state(self) -> dict[str, Any]:
        """The conversation's fields."""
        state: dict[str, Any] = self.client.get(self.url).raise_for_status().json()
        return state

    @property
    def messages(self) -> list[str]:
        """The texts of its messages."""
        page = self.client.get(f"{self.url}/messages").raise_for_status().json()
        return [message["content"] for message in page["items"]]

    @property
    def incomplete(self) -> list[str | None]:
        """The field `incomplete` of its messages."""
        page = self.client.get(f"{self.url}/messages").raise_for_status().json()
        return [message["incomplete"] for message in page["items"]]

    def wait_until_done(self) -> str:
        """Wait until no run is running; return the last run's status."""
        wait_until(lambda: self.state["run_status"] != "running")
        return str(self.state["run_status"])


class Stream:
    """The events of a streamed reply, with their IDs."""

    def __init__(self, response: httpx2.Response) -> None:
        self.lines = response.iter_lines()
        self.last_id = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        data: dict[str, Any] = {}
        for line in self.lines:
            if line.startswith("data: "):
                data = json.loads(line[6:])
            elif line.startswith("id: "):
                self.last_id = line[4:]
                yield data


NewServices = Callable[[str], Services]
"""Makes a project on an empty database of a kind."""
