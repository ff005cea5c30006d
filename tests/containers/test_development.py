"""Development in containers, from a fresh copy."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import ask, sign_in, wait_for_reply
from tests.support.engine import Stack, docker
from tests.support.platform import Platform
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

# The first build of the images takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(1800)
GUIDE = "docs/customer/development.md"
# The address in the guide.
ADMIN = "admin@acme.example"
# Of a user that no image knows.
OWNER = 1234
VARIABLES = ("PORTS__API", "PORTS__WEB", "PORTS__LANGGRAPH", "DEBUG_API", "DEBUG_LANGGRAPH")
AGENT = """from langgraph.graph import START, MessagesState, StateGraph


def answer(state):
    return {"messages": [("ai", "one")]}


graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
"""
ROUTE = """from fastapi import APIRouter

router = APIRouter()


@router.get("/live")
async def live() -> str:
    return "it is live"
"""
CORE = "apps/langgraph/src/core/observability/operations.py"
HELP = "apps/web/src/pages/help.vue"


@dataclass(frozen=True)
class Development:
    """A project whose services run in containers, from mounted sources."""

    stack: Stack
    shown: str
    """What the guide's commands have printed."""

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.stack.env[f'PORTS__{service}']}"

    def write(self, path: str, text: str) -> None:
        """Write a source file, as its owner."""
        file = self.stack.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        for one in (file.parent, file):
            os.chown(one, OWNER, OWNER)

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a source file."""
        text = (self.stack.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def ask(self, agent: str) -> str:
        """The source document's request, without a token; empty if it fails."""
        command = ["curl", "-s", "-X", "POST", f"http://localhost:{self.port}/{agent}/generate"]
        command += ["-H", "Content-Type: application/json", "-d", '{"prompt": "Hello"}']
        return subprocess.run(command, capture_output=True, text=True).stdout

    @property
    def port(self) -> str:
        return self.stack.env["PORTS__LANGGRAPH"]


def get(url: str) -> str:
    """A page; empty if it cannot be had."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return str(response.read().decode())
    except OSError:
        return ""


def start(root: Path) -> Development:
    """Follow the guide in a fresh copy that nobody has set up."""
    (root / ".env").unlink()
    subprocess.run(["chown", "-R", f"{OWNER}:{OWNER}", root], check=True)
    env = dict(zip(VARIABLES, map(str, free_ports(len(VARIABLES))), strict=True))
    name = f"test-{root.name}-{os.getpid()}"
    stack = Stack(root, "docker-compose.dev.yml", name, {**env, "COMPOSE_PROJECT_NAME": name})
    section = (root / GUIDE).read_text().partition("\n## Work in containers\n")[2]
    [block] = re.findall(r"^```bash\n(.*?)^```", section.partition("\n## ")[0], re.M | re.S)
    try:
        # Where it does not come up, this shows the logs.
        stack.up()
        shown = subprocess.run(
            ["bash", "-euc", block.replace(" exec ", " exec -T ")],
            cwd=root,
            env=stack.environment,
            capture_output=True,
            text=True,
        )
        assert shown.returncode == 0, shown.stdout + shown.stderr
    except BaseException:
        remove(stack)
        raise
    return Development(stack, shown.stdout)


def remove(stack: Stack) -> None:
    """Remove everything but the build cache."""
    stack.down()
    docker(
        "image",
        "rm",
        "--force",
        *(f"{stack.name}-{app}-dev" for app in ("api", "langgraph", "web")),
    )


@pytest.fixture(scope="module")
def development(
    generate: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Development]:
    """SQLite, with the web."""
    one = start(generate(tmp_path_factory.mktemp("development") / "dev-sqlite", admin_email=ADMIN))
    yield one
    remove(one.stack)


@pytest.fixture(scope="module")
def second(
    development: Development,
    generate: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Development]:
    """PostgreSQL in a container, without the web, beside the first."""
    root = tmp_path_factory.mktemp("second") / "dev-postgresql"
    one = start(generate(root, database="postgresql", services=[], admin_email=ADMIN))
    yield one
    remove(one.stack)


def test_ports_are_open_on_loopback_only(development: Development) -> None:
    found = set()
    for service in ("api", "langgraph", "web"):
        for bindings in development.stack.inspect(service)["HostConfig"]["PortBindings"].values():
            found |= {(one["HostIp"], one["HostPort"]) for one in bindings}
    ports = [development.stack.env[name] for name in VARIABLES]
    assert found == {("127.0.0.1", port) for port in ports}


def test_the_source_document_s_request_works_as_printed(development: Development) -> None:
    answer = json.loads(development.ask("marketing-swarm"))
    assert answer["status"] == "success"
    # Another container has no such right.
    url = f"http://langgraph:{development.port}/marketing-swarm/generate"
    headers = {"Host": "localhost", "Content-Type": "application/json"}
    code = "import urllib.request as u; "
    code += f"u.urlopen(u.Request({url!r}, b'{{}}', {headers}))"
    network = f"--network={development.stack.name}_default"
    command = ["docker", "run", "--rm", network, "python:3.13-slim", "python", "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert "HTTP Error 401" in shown.stderr


def test_a_password_can_be_had_and_is_in_no_log(development: Development) -> None:
    login = json.loads(next(line for line in development.shown.splitlines() if line[:1] == "{"))
    request = urllib.request.Request(
        f"{development.address('WEB')}/api/auth/login",
        json.dumps(login).encode(),
        {"Content-Type": "application/json", "Origin": development.address("WEB")},
    )
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    log = development.stack.compose("logs", "--no-color")
    assert "platform admin reset-password" in log
    assert not re.search(r"password +\w{5}-\w{5}", log)


def test_a_prompt_in_the_browser_is_answered(development: Development, browser: Browser) -> None:
    login = json.loads(next(line for line in development.shown.splitlines() if line[:1] == "{"))
    web = development.address("WEB")
    page = browser.new_context(base_url=web).new_page()
    page.goto("/")
    account = Platform(
        development.stack.root, web, web, "", login["email"], login["password"], Path()
    )
    sign_in(page, account)
    ask(page, "Marketing swarm", "Announce a bicycle repair kit")
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent")).to_contain_text("bicycle repair kit")
    page.context.close()


def test_files_belong_to_the_owner_of_the_sources(development: Development) -> None:
    stack = development.stack
    stack.exec("api", "python", "-c", "open('by-exec.txt', 'w')")
    stack.exec("langgraph", "sh", "-c", "touch apps/langgraph/by-exec.txt")
    stack.exec("web", "npm", "run", "--silent", "generate")
    strangers = [
        path
        for path in stack.root.rglob("*")
        if path.lstat().st_uid != OWNER and ".git" not in path.parts
    ]
    assert not strangers
    assert (stack.root / "by-exec.txt").exists()
    assert (stack.root / ".env").stat().st_mode & 0o777 == 0o600


def test_an_edit_of_each_service_is_live_without_a_restart(development: Development) -> None:
    started = [development.stack.inspect(name)["State"] for name in ("api", "langgraph", "web")]

    took = edit_everything(development)

    assert took
    for name, before in zip(("api", "langgraph", "web"), started, strict=True):
        assert development.stack.inspect(name)["State"]["StartedAt"] == before["StartedAt"]


@pytest.mark.long
def test_edits_are_live_within_seconds(development: Development) -> None:
    took = edit_everything(development)
    for what, limit in (("agent", 2), ("page", 2), ("API", 10), ("core", 10)):
        assert took[what] < limit, took


def edit_everything(development: Development) -> dict[str, float]:
    """Edit a file of each kind; the seconds until each was live."""
    address, took = development.address, {}

    def live(what: str, condition: Callable[[], object]) -> None:
        begun = time.monotonic()
        wait_until(condition, lambda: f"{what}\n{development.stack.logs()}")
        took[what] = time.monotonic() - begun

    development.write("apps/langgraph/src/agents/echo/graph.py", AGENT)
    live("new agent", lambda: "one" in development.ask("echo"))
    word = f"word{time.monotonic_ns()}"
    development.replace("apps/langgraph/src/agents/echo/graph.py", '"one"', f'"{word}"')
    live("agent", lambda: word in development.ask("echo"))
    development.write("apps/api/src/custom/live.py", ROUTE.replace("it is live", word))
    live("API", lambda: word in get(f"{address('API')}/custom/live"))
    text = (development.stack.root / CORE).read_text()
    version = re.search(r"Info\(version=(.*?), flags", text)
    assert version
    development.replace(CORE, version[0], f'Info(version="{word}", flags')
    live("core", lambda: word in get(f"{address('LANGGRAPH')}/info"))
    development.write(HELP, (development.stack.root / HELP).read_text() + f"<!-- {word} -->\n")
    live("page", lambda: word in get(f"{address('WEB')}/src/pages/help.vue?raw"))
    return took


def test_a_debugger_can_attach(development: Development) -> None:
    request = {
        "seq": 1,
        "type": "request",
        "command": "initialize",
        "arguments": {"adapterID": "x"},
    }
    body = json.dumps(request).encode()
    for port in (development.stack.env["DEBUG_API"], development.stack.env["DEBUG_LANGGRAPH"]):

        def attached(port: str = port) -> bool:
            try:
                with socket.create_connection(("127.0.0.1", int(port)), 10) as debugger:
                    debugger.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                    return b'"packageVersion"' in debugger.recv(1000)
            except OSError:
                return False

        # After an edit, the new process waits for the port of the old one.
        wait_until(attached)


def test_postgresql_has_a_password_of_its_own(second: Development) -> None:
    stack = second.stack
    assert json.loads(second.ask("marketing-swarm"))["status"] == "success"
    tables = stack.exec("postgres", "psql", "--user=platform", "--command=\\dt")
    assert "conversations" in tables and "checkpoints" in tables
    login = ("psql", "--no-password", "--host=postgres", "--user=platform")
    assert "no password supplied" in stack.compose("exec", "-T", "postgres", *login, code=2)
    assert not stack.inspect("postgres")["HostConfig"]["PortBindings"]


def test_two_checkouts_do_not_meet(development: Development, second: Development) -> None:
    names = {
        mount["Name"]
        for one in (development, second)
        for service in ("api", "langgraph")
        for mount in one.stack.inspect(service)["Mounts"]
        if mount["Type"] == "volume" and mount["Destination"] == "/data"
    }
    assert len(names) == 4
    assert get(f"{development.address('API')}/health") and get(f"{second.address('API')}/health")


def test_a_new_start_has_the_data_and_the_packages_of_the_lock_file(second: Development) -> None:
    stack = second.stack
    secrets = (stack.root / ".env").read_bytes()
    add = ("uv", "add", "--no-sync", "--package", "platform-langgraph", "humanize")
    stack.exec("langgraph", *add)
    assert (stack.root / "uv.lock").stat().st_uid == OWNER

    stack.compose("down")
    stack.up()

    stack.exec("langgraph", "python", "-c", "import humanize")
    assert (stack.root / ".env").read_bytes() == secrets
    accounts = stack.exec("api", "platform", "admin", "list", "--json")
    assert ADMIN in accounts
