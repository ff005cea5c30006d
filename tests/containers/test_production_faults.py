"""Production under load while parts are replaced, fail or are full."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.containers.conftest import NewProduction
from tests.containers.load import get, load, post
from tests.containers.production import HOST, Conversation, Production
from tests.support.waiting import wait_until

# The first build of the images takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(1800)
NEW = {"agent": "marketing-swarm"}
# Seconds within which a prompt must be answered although the agents service is replaced.
ANSWERED = 30


def recreate(production: Production, service: str) -> None:
    """Replace a service's container, as a release does."""
    production.stack.compose("up", "-d", "--no-deps", "--force-recreate", "--wait", service)


def test_no_request_fails_while_api_and_web_are_replaced(production: Production) -> None:
    with production.signed_in() as client, production.signed_in() as other:
        works = (
            get(client, "/"),
            get(client, "/api/conversations"),
            post(other, "/api/conversations", NEW),
        )
        with load(*works) as result:
            recreate(production, "web")
            recreate(production, "api")
    assert not result.failures
    assert result.count > 50


@pytest.mark.long
def test_no_request_fails_in_many_replacements(production: Production) -> None:
    with production.signed_in() as client, production.signed_in() as other:
        works = [get(client, "/"), get(client, "/api/agents"), get(other, "/api/auth/me")] * 2
        works += [post(other, "/api/conversations", NEW)] * 2
        with load(*works, pause=0.05) as result:
            for service in ("web", "api") * 4:
                recreate(production, service)
    assert not result.failures


def test_a_running_answer_survives_a_new_api(production: Production) -> None:
    with production.signed_in() as client:
        conversation = Conversation(client)
        asking = threading.Thread(target=conversation.ask, args=["Announce a folding ladder"])
        asking.start()
        wait_until(lambda: conversation.messages)
        recreate(production, "api")
        asking.join(60)
        assert "folding ladder" in conversation.wait_for_reply()


@pytest.mark.long
def test_prompts_are_answered_while_the_agents_service_is_replaced(production: Production) -> None:
    with production.signed_in() as client:

        def prompt() -> None:
            conversation = Conversation(client)
            conversation.ask("Announce a folding ladder")
            assert "folding ladder" in conversation.wait_for_reply()

        with load(prompt, prompt) as result:
            for _ in range(3):
                recreate(production, "langgraph")
    assert not result.failures
    assert result.longest < ANSWERED


def test_killed_processes_come_back_and_lose_nothing(production: Production) -> None:
    stack = production.stack
    with production.signed_in() as client:
        conversation = Conversation(client)
        conversation.ask("Announce a folding ladder")
        before = conversation.messages
        assert len(before) == 2
        for service in production.services:
            # The child of Docker's init is the service. `docker kill` would be no crash.
            stack.exec(service, "bash", "-c", "kill -KILL $(cat /proc/1/task/1/children)")
        wait_until(
            lambda: all(
                stack.inspect(one)["RestartCount"] > 0
                and stack.inspect(one)["State"]["Health"]["Status"] == "healthy"
                for one in ("caddy", "web", "api", "langgraph")
            ),
            lambda: stack.compose("ps", "--all"),
        )
        assert conversation.messages == before
        conversation.ask("Announce a bicycle repair kit")
        assert "bicycle repair kit" in conversation.wait_for_reply()


@contextmanager
def without_database(production: Production) -> Iterator[None]:
    """Stop PostgreSQL for a while."""
    production.stack.compose("stop", "postgres")
    try:
        yield
    finally:
        production.stack.compose("start", "postgres")


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.long)])
def test_a_stopped_database_is_reported_and_survived(production: Production, seconds: int) -> None:
    if "postgres" not in production.services:
        pytest.skip("SQLite has no server")
    started = production.stack.inspect("api")["State"]["StartedAt"]
    with production.signed_in() as client:
        conversation = Conversation(client)
        begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with without_database(production):
            wait_until(lambda: client.get("/api/ready").status_code == 503)
            answer = client.post("/api/conversations", json=NEW)
            assert answer.status_code == 503
            assert "database cannot be reached" in answer.json()["detail"]
            # As many users as ask meanwhile.
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                client.get("/api/conversations")
                time.sleep(1)
        wait_until(lambda: client.get("/api/ready").status_code == 200)
        assert production.stack.inspect("api")["State"]["StartedAt"] == started
        conversation.ask("Announce a folding ladder")
        assert "folding ladder" in conversation.wait_for_reply()
    if seconds:
        logs = production.stack.compose("logs", "--no-color", "--since", begun, "api", "langgraph")
        assert len(logs.encode()) < 100_000
        assert logs.count("Traceback") < 5


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_full_volume_is_reported_and_survived(
    new_production: NewProduction, database: str
) -> None:
    service, folder, volume = {
        "sqlite": ("api", "/data", "api-data"),
        "postgresql": ("postgres", "/var/lib/postgresql/data", "postgres-data"),
    }[database]
    with new_production(f"full-{database}", small=volume, database=database) as production:
        stack = production.stack
        with production.signed_in() as client:
            conversation = Conversation(client)
            conversation.ask("Announce a folding ladder")
            kept = conversation.messages
            stack.exec(service, "bash", "-c", f"cat /dev/zero > {folder}/filler || true")
            # What is acknowledged while the disk fills must be there afterwards.
            acknowledged, refused = [], ""
            for _ in range(2000):
                answer = client.post("/api/conversations", json=NEW)
                if answer.status_code != 201:
                    refused = answer.text
                    break
                acknowledged.append(answer.json()["id"])
            assert "full" in refused or "cannot be reached" in refused
            stack.exec(service, "rm", f"{folder}/filler")
            wait_until(lambda: client.post("/api/conversations", json=NEW).status_code == 201)
            assert conversation.messages == kept
            for one in acknowledged:
                client.get(f"/api/conversations/{one}").raise_for_status()


@pytest.mark.long
def test_an_expired_certificate_is_replaced_without_a_restart(production: Production) -> None:
    root, stack = production.root, production.stack
    folder = root / "deployment/caddy/certificates"
    folder.mkdir()
    values = root / ".env.production"
    before = values.read_text()
    paths = "/etc/caddy/certificates/platform.crt /etc/caddy/certificates/platform.key"
    try:
        certificate(folder, days=-1)
        values.write_text(before.replace("TLS=internal", f"TLS={paths}"))
        stack.up()
        url = f"https://{HOST}:{production.https}/api/health"
        trusted = httpx2.create_ssl_context(verify=str(folder / "platform.crt"))
        with pytest.raises(httpx2.ConnectError, match="certificate has expired"):
            httpx2.get(url, verify=trusted)
        container = stack.inspect("caddy")["State"]["StartedAt"]
        certificate(folder, days=30)
        stack.exec("caddy", "caddy", "reload", "--force")
        trusted = httpx2.create_ssl_context(verify=str(folder / "platform.crt"))
        assert httpx2.get(url, verify=trusted).is_success
        assert stack.inspect("caddy")["State"]["StartedAt"] == container
    finally:
        values.write_text(before)
        stack.up()


def certificate(folder: Path, *, days: int) -> None:
    """Write a certificate of its own authority, valid for `days` from now, and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", str(days), "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}"]
    command += ["-keyout", "platform.key", "-out", "platform.crt"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "platform.key").chmod(0o644)
