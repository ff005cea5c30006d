"""While `platform dev` runs: saved changes, mistakes and crashes."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.waiting import wait_until
from tests.tools.dev import Dev, run_dev

HEALTH = Path("apps/api/src/core/platform/health.py")


@pytest.fixture(scope="module")
def dev(tools_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A running `platform dev` without the web, for tests that do not stop it."""
    log = tmp_path_factory.mktemp("dev") / "log"
    with run_dev(tools_project, log, "--no-web") as one:
        yield one.ready()


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """The file with `old` replaced by `new`, for as long as the block runs."""
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(before)


def test_a_saved_change_of_the_api_is_served_and_no_request_fails(dev: Dev) -> None:
    failures, served, done = [], 0, threading.Event()

    def ask() -> None:
        nonlocal served
        while not done.is_set():
            try:
                status, _ = dev.get("api", "/health")
                assert status == 200
                served += 1
            except Exception as error:
                failures.append(repr(error))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        route = '@router.get("/health")'
        with edited(dev.root / HEALTH, route, f'@router.get("/hale")\n{route}'):
            wait_until(lambda: dev.get("api", "/hale")[0] == 200, dev.log.read_text)
        wait_until(lambda: dev.get("api", "/hale")[0] == 404, dev.log.read_text)
    finally:
        done.set()
        for thread in asking:
            thread.join()
    assert served
    assert not failures


def test_a_syntax_error_is_shown_and_the_last_good_version_goes_on(dev: Dev) -> None:
    worker = dev.worker("api")
    with edited(dev.root / HEALTH, "import asyncio", "import asyncio ("):
        dev.wait_for("api not reloaded: the last working version stays in use")
        assert dev.said("SyntaxError: ")
        assert dev.said(str(HEALTH))
        assert dev.worker("api") == worker
        assert dev.get("api", "/health")[0] == 200
    wait_until(lambda: dev.worker("api") != worker)


def test_the_agents_service_reloads_its_core(dev: Dev) -> None:
    worker = dev.worker("langgraph")
    app = dev.root / "apps/langgraph/src/core/app.py"
    with edited(app, '"""', '"""Edited. '):
        dev.wait_for("langgraph reloaded in")
    dev.wait_for("langgraph reloaded in", times=2)
    assert dev.worker("langgraph") != worker
    assert dev.get("langgraph", "/ok")[0] == 200


def test_a_changed_agent_starts_no_new_process(dev: Dev) -> None:
    worker = dev.worker("langgraph")
    graph = dev.root / "apps/langgraph/src/agents/marketing-swarm/graph.py"
    with edited(graph, '"""', '"""Edited. '):
        dev.wait_for("agent reloaded")
    assert dev.worker("langgraph") == worker


@pytest.mark.parametrize("service", ["api", "langgraph"])
def test_a_killed_service_is_started_again(dev: Dev, service: str) -> None:
    os.kill(dev.worker(service), signal.SIGKILL)
    dev.wait_for(f"{service} restarted")
    assert dev.said(f"{service} was ended by SIGKILL")
    assert dev.get(service, "/health")[0] == 200


def test_a_wrong_setting_is_named_and_nothing_stops(dev: Dev) -> None:
    worker = dev.worker("api")
    env = dev.root / ".env"
    with edited(env, "LOG_LEVEL=info", "LOG_LEVEL=loud"):
        dev.wait_for("Keeping the previous settings")
        assert dev.said("LOG_LEVEL")
    assert dev.worker("api") == worker


def test_a_second_dev_of_the_same_project_is_refused(dev: Dev) -> None:
    second = subprocess.run(
        [dev.root / ".venv/bin/platform", "dev"], cwd=dev.root, capture_output=True, text=True
    )
    assert second.returncode == 1
    assert f"already running for this project (process {dev.process.pid})" in second.stderr
    assert dev.get("api", "/health")[0] == 200


def test_half_sent_requests_are_closed(dev: Dev) -> None:
    services = [urlsplit(dev.addresses[name]) for name in ("api", "langgraph")]
    parts = (b"GET /health HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1")
    connections = []
    for part in parts:
        for address in services:
            connection = socket.create_connection((address.hostname, address.port), 120)
            connections.append(connection)
            connection.sendall(part)
    for connection in connections:
        with connection:
            while connection.recv(1000):
                pass
