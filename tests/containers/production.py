"""A project in production on the machine's Docker Engine, set up by the commands of its guide."""

import json
import random
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.engine import Stack
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

GUIDE = "docs/customer/production.md"
DOMAIN = "platform.acme.example"
# The name that the tests use instead, which every machine resolves.
HOST = "localhost"


@dataclass(frozen=True)
class Production:
    """A running platform behind Caddy."""

    stack: Stack
    http: int
    https: int
    email: str
    password: str
    bad_start: str
    """What `up` said to the values of the template."""

    @property
    def root(self) -> Path:
        return self.stack.root

    @property
    def services(self) -> list[str]:
        """The services that keep running."""
        return self.stack.compose("ps", "--services").split()

    @property
    def certificate(self) -> Path:
        """The authority's certificate, as the guide saves it."""
        return self.root / "platform-ca.crt"

    @property
    def tls(self) -> ssl.SSLContext:
        """A client's configuration that trusts only this authority."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self, **options: Any) -> httpx2.Client:
        """An HTTP client that verifies the platform's certificate."""
        return httpx2.Client(
            base_url=f"https://{HOST}:{self.https}", verify=self.tls, timeout=60, **options
        )

    @contextmanager
    def signed_in(self) -> Iterator[httpx2.Client]:
        """A client with the administrator's session."""
        with self.client() as client:
            login = {"email": self.email, "password": self.password}
            response = client.post("/api/auth/login", json=login)
            assert response.is_success, response.text
            yield client


class Conversation:
    """A conversation with an example agent, through Caddy."""

    def __init__(self, client: httpx2.Client) -> None:
        created = client.post("/api/conversations", json={"agent": "marketing-swarm"})
        assert created.status_code == 201, created.text
        self._client, self._url = client, f"/api/conversations/{created.json()['id']}"

    def ask(self, prompt: str) -> None:
        """Send a prompt and read the streamed reply, for as long as the connection holds."""
        url = f"{self._url}/messages"
        with self._client.stream("POST", url, json={"prompt": prompt}) as response:
            assert response.status_code == 200, response.read()
            with suppress(httpx2.RemoteProtocolError, httpx2.ReadError):
                response.read()

    def wait_for_reply(self) -> str:
        """The last message as soon as no run is running."""
        wait_until(lambda: self._state["run_status"] not in ("running", None))
        assert self._state["run_status"] == "success", self._state
        return self.messages[-1]

    @property
    def messages(self) -> list[str]:
        """The texts of its messages."""
        page = self._client.get(f"{self._url}/messages").raise_for_status().json()
        return [message["content"] for message in page["items"]]

    @property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._client.get(self._url).raise_for_status().json()
        return state


def start(stack: Stack) -> Production:
    """Follow the guide from a fresh copy to the first sign-in.

    Before that, `up` is tried with the values of the template.
    """
    http, https = free_ports(2)
    # Several of these run on one machine.
    network = f"198.18.{random.randrange(256)}.{random.randrange(16) * 16}/28"
    own = f"HTTP_PORT={http}\nHTTPS_PORT={https}\nPROXY_NETWORK={network}\n"
    values = stack.root / ".env.production"
    values.write_text((stack.root / ".env.production.template").read_text() + own)
    stack.compose("build")
    bad_start = stack.compose("up", "--detach", code=1) + stack.logs("check")
    assert not stack.compose("ps", "--quiet").strip(), bad_start
    values.unlink()

    follow(stack, "Set up", https)
    with values.open("a") as file:
        file.write(own)
    follow(stack, "Start", https)
    first = login(follow(stack, "Sign in", https))
    follow(stack, "Trust the internal authority", https)
    return Production(stack, http, https, first["email"], first["password"], bad_start)


def blocks(heading: str, root: Path) -> list[str]:
    """The commands under a heading of the guide."""
    text = (root / GUIDE).read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```bash\n(.*?)^```", section, re.M | re.S)
    assert found, heading
    return found


def follow(stack: Stack, heading: str, https: int) -> str:
    """Run the commands under a heading of the guide as typed; their output."""
    return "".join(type_in(stack, block, https) for block in blocks(heading, stack.root))


def type_in(stack: Stack, block: str, https: int) -> str:
    """Run commands of a guide; their output."""
    script = block.replace(" exec ", " exec -T ").replace(" up -d", " up -d --wait")
    script = script.replace(f"https://{DOMAIN}", f"https://{HOST}:{https}")
    script = script.replace(DOMAIN, HOST).replace("curl ", "curl -sSf ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=stack.root,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=550,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{stack.logs()}"
    return done.stdout


def login(shown: str) -> dict[str, str]:
    """The e-mail address and the password that the guide's command has shown."""
    line = next(line for line in shown.splitlines() if line.startswith("{"))
    found: dict[str, str] = json.loads(line)
    return found
