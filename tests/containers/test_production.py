"""Production as an administrator sets it up by the guide: what it offers, and what it refuses."""

import json
import re
import shutil
import socket
import ssl
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests.containers.production import HOST, Production, follow, type_in
from tests.support.browser import ask, sign_in, wait_for_reply
from tests.support.engine import Stack, docker
from tests.support.platform import Platform

# The first build of the images takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(1800)
SERVICES = ("caddy", "web", "api", "langgraph")
JOBS = ("check", "migrate-api", "migrate-agents")
# Megabytes over the base image.
SIZES = {
    "api": ("python:3.13-slim-trixie", 125),
    "langgraph": ("python:3.13-slim-trixie", 160),
    "web": ("debian:trixie-slim", 55),
}


def test_placeholders_are_refused_each_by_name(production: Production) -> None:
    shown = production.bad_start
    for name in ("DOMAIN", "SECRET_KEY", "SERVICE_TOKEN", "AGENTS__WEBHOOK_SECRET"):
        assert f"{name}: " in shown
    assert ("POSTGRES_PASSWORD: " in shown) == ("postgres" in production.services)


def test_a_winning_env_file_and_placeholders_are_named(
    production: Production, tmp_path: Path
) -> None:
    for name in ("deployment", "docker-compose.prod.yml", ".env.production"):
        source = production.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    values = (tmp_path / ".env.production").read_text().splitlines()
    values = [line for line in values if not line.startswith("SERVICE_TOKEN=")]
    values.append(f"SERVICE_TOKEN={'change-me-' * 4}")
    (tmp_path / ".env.production").write_text("\n".join(values))
    (tmp_path / ".env").write_text("DOMAIN=development.acme.example\nSECRET_KEY=unused\n")
    copy = Stack(tmp_path, production.stack.file, production.stack.name, production.stack.env)

    shown = copy.compose("run", "--rm", "check", code=1)

    assert "DOMAIN: the file .env or the shell has another value" in shown
    assert "SERVICE_TOKEN: is a placeholder" in shown
    assert "SECRET_KEY: " not in shown


def test_clients_verify_the_certificate_and_speak_http2(production: Production) -> None:
    context = production.tls
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((HOST, production.https)) as connection,
        context.wrap_socket(connection, server_hostname=HOST) as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() == "TLSv1.3"
    with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
        httpx2.get(f"https://{HOST}:{production.https}", verify=ssl.create_default_context())


def test_pages_and_api_have_their_own_headers(production: Production) -> None:
    with production.client() as client:
        page, api = client.get("/"), client.get("/api/health")
        asset = client.get("/assets/absent.js")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["content-encoding"] in ("gzip", "zstd")
    assert api.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert asset.status_code == 404
    for response in (page, api):
        assert "max-age=" in response.headers["strict-transport-security"]
        assert not response.headers.keys() & {"server", "via"}


def test_http_only_redirects(production: Production) -> None:
    response = httpx2.get(f"http://{HOST}:{production.http}/page?query=1")
    assert response.status_code == 308
    assert response.headers["location"] == f"https://{HOST}/page?query=1"


def test_a_stream_is_neither_compressed_nor_held_back(production: Production) -> None:
    with production.signed_in() as client:
        created = client.post("/api/conversations", json={"agent": "marketing-swarm"}).json()
        url = f"/api/conversations/{created['id']}/messages"
        prompt = {"prompt": "Announce a folding ladder"}
        with client.stream("POST", url, json=prompt) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in response.headers
            pieces = list(response.iter_raw())
    # At once, a proxy would pass on all events in one or two.
    assert len(pieces) > 5


def test_limits_count_the_client_s_address(production: Production) -> None:
    with production.client() as client:
        client.post("/api/auth/login", json={"email": "who@acme.example", "password": "wrong"})
    log = production.stack.logs("api")
    caddy = production.stack.inspect("caddy")["NetworkSettings"]["Networks"].values()
    line = next(line for line in log.splitlines() if "password refused" in line)
    assert not any(network["IPAddress"] in line for network in caddy), line


def test_requests_are_logged_without_what_users_typed(production: Production) -> None:
    with production.client(headers={"Cookie": "session=secret-cookie"}) as client:
        client.get("/api/health?secret=secret-query")
    log = production.stack.logs("caddy")
    assert '"uri":"/api/health"' in log
    assert "secret-" not in log


def test_the_password_is_in_no_log(production: Production) -> None:
    assert production.password not in production.stack.compose("logs", "--no-color")


def test_only_caddy_s_ports_are_open(production: Production) -> None:
    """Tried from a container on another network, as a machine outside would."""
    published = {
        int(one["HostPort"])
        for service in production.services
        for bindings in (production.stack.inspect(service)["HostConfig"]["PortBindings"]).values()
        for one in bindings
    }
    assert published == {production.http, production.https}

    gateway = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Gateway"]
    inside = [
        (network["IPAddress"], port)
        for service in production.services
        for network in production.stack.inspect(service)["NetworkSettings"]["Networks"].values()
        for port in (2019, 5432, 6200, 8080, 8081, 8443, 9000)
    ]
    host = [(gateway, port) for port in (2019, 5432, 6200, 9000, 9001, production.https)]
    assert reachable(host + inside, "bridge") == [[gateway, production.https]]


def test_services_without_users_have_no_route_out(production: Production) -> None:
    for service in set(production.services) - {"caddy"}:
        routes = production.stack.exec(service, "cat", "/proc/net/route").splitlines()[1:]
        assert routes
        # The default route has the destination 0.
        assert not [line for line in routes if line.split()[1] == "00000000"], service


def reachable(addresses: list[tuple[str, int]], network: str) -> list[list[object]]:
    """Which addresses accept a connection from a new container on a network."""
    code = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def open_(address):
    try:
        socket.create_connection(address, 3).close()
    except OSError:
        return False
    return True
addresses = json.loads(sys.argv[1])
with ThreadPoolExecutor(100) as pool:
    found = list(pool.map(open_, addresses))
print(json.dumps([one for one, is_open in zip(addresses, found) if is_open]))
"""
    arguments = ("--rm", "--network", network, "python:3.13-slim-trixie", "python", "-c", code)
    shown: list[list[object]] = json.loads(docker("run", *arguments, json.dumps(addresses)))
    return shown


def test_every_container_is_confined(production: Production) -> None:
    for service in (*production.services, *JOBS):
        found = production.stack.inspect(service)
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["Memory"] > 0, service
        assert host["NanoCpus"] > 0, service
        assert host["PidsLimit"] > 0, service
        assert host["LogConfig"]["Config"]["max-size"] == "10m", service
        restart = "no" if service in JOBS else "unless-stopped"
        assert host["RestartPolicy"]["Name"] == restart, service
        assert found["State"]["ExitCode"] == 0, service
    for service in production.services:
        status = production.stack.exec(service, "cat", "/proc/1/status")
        values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert "0" not in values["Uid"].split(), service
        assert {int(values[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}, service
        assert values["NoNewPrivs"] == "1", service


def test_images_are_small(production: Production) -> None:
    for service, (base, limit) in SIZES.items():
        image = production.stack.inspect(service)["Image"]
        over = (size(image) - size(base)) / 1e6
        assert over <= limit, f"{service}: {over:.0f} MB over {base}"
        tools = ("uv", "pip3", "gcc", "npm") if service == "web" else ("uv", "gcc", "npm")
        for tool in tools:
            production.stack.compose("exec", "-T", service, "bash", "-c", f"! type {tool}")


def size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def test_a_prompt_in_the_browser_is_answered(production: Production, browser: Browser) -> None:
    address = f"https://{HOST}:{production.https}"
    # Another test verifies the certificate; a browser has a store of its own.
    context = browser.new_context(base_url=address, ignore_https_errors=True)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda one: errors.append(one.text) if "Policy" in one.text else None)
    page.goto("/")
    login = Platform(
        production.root, address, address, "", production.email, production.password, Path()
    )
    sign_in(page, login)
    ask(page, "Marketing swarm", "Announce a bicycle repair kit")
    wait_for_reply(page)
    expect(page.get_by_role("article", name="Agent")).to_contain_text("bicycle repair kit")
    assert not errors
    context.close()


def test_a_new_agent_and_a_release_leave_the_edge_and_the_web_alone(
    production: Production,
) -> None:
    stack = production.stack
    before = {service: stack.container(service) for service in SERVICES}
    agents = production.root / "apps/langgraph/src/agents"
    shutil.copytree(agents / "approval-desk", agents / "second-desk")

    follow(stack, "Release a new version", production.https)

    after = {service: stack.container(service) for service in SERVICES}
    changed = {service for service in SERVICES if before[service] != after[service]}
    assert changed == {"langgraph"}
    with production.signed_in() as client:
        names = [one["name"] for one in client.get("/api/agents").json()]
    assert "second-desk" in names


def test_the_commands_of_troubleshooting_work(production: Production) -> None:
    guide = (production.root / "docs/customer/troubleshooting.md").read_text()
    blocks = re.findall(r"^```bash\n(docker compose .*?)^```", guide, re.M | re.S)
    shown = [type_in(production.stack, block, production.https) for block in blocks]
    assert len(shown) > 1
    assert all(shown[1:])


@pytest.mark.long
def test_stop_and_start_keep_the_data(production: Production) -> None:
    with production.signed_in() as client:
        client.post("/api/conversations", json={"agent": "marketing-swarm"})
        count = len(client.get("/api/conversations").json()["items"])
        follow(production.stack, "Stop, start, look", production.https)
        assert len(client.get("/api/conversations").json()["items"]) == count
