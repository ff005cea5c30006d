"""The database goes away for a while: the services say so in a few lines, and come back."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.services import Conversation, Services
from tests.support.ports import free_ports
from tests.support.postgresql import Server, running_server
from tests.support.waiting import wait_until

# Seconds without the database, and the lines that each service may log about it: one when it goes,
# one when it is back, one for each run that it interrupts, and a few for requests.
AWAY = pytest.mark.parametrize("seconds", [8, pytest.param(60, marks=pytest.mark.long)])
MAX_LINES = 8


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server("-c fsync=off") as server:
        yield server


@pytest.fixture(scope="module")
def services(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    root = tmp_path_factory.mktemp("outage")
    services = Services(root, *free_ports(2), database_url=server.url)
    try:
        services.prepare()
        services.start_agents()
        services.start_api()
        yield services
    finally:
        services.stop()


def log_lines(services: Services, name: str) -> list[str]:
    """The lines of a service's log, without those of single requests."""
    lines = (services.root / f"{name}.log").read_text().splitlines()
    return [line for line in lines if "[access]" not in line and "[uvicorn.access]" not in line]


@AWAY
def test_an_outage_of_the_database_is_a_few_lines_and_no_lost_reply(
    server: Server, services: Services, browser: httpx2.Client, tmp_path_factory, seconds: int
) -> None:
    signal_file = tmp_path_factory.mktemp("signal") / "signal"
    conversation = Conversation(browser)
    before = {name: len(log_lines(services, name)) for name in ("api", "agents")}
    with conversation.ask(f"wait {signal_file}") as stream:
        wait_until(lambda: services.submitted(conversation))
        server.stop()
        try:
            away = time.monotonic()
            refused = browser.get("/conversations")
            other = httpx2.post(
                f"{services.address}/auth/login",
                json={"email": "who@acme.example", "password": "nothing here"},
            )
            health = browser.get("/health")
            ready = browser.get("/ready")
            signal_file.write_text("after all")
            time.sleep(max(0, seconds - (time.monotonic() - away)))
        finally:
            server.start()
        events = list(stream)

    for response in (refused, other):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "The database cannot be reached" in response.json()["detail"]
    assert (health.status_code, ready.status_code) == (200, 503)
    assert events[-1]["status"] == "success", events
    assert conversation.messages[1:] == ["Reply: after all"]
    wait_until(lambda: browser.get("/ready").status_code == 200)
    for name in before:
        wait_until(lambda name=name: "can be used again" in "".join(new(services, name, before)))
        lines = new(services, name, before)
        assert len(lines) <= MAX_LINES, "\n".join(lines)
        assert not any("Traceback" in line for line in lines), "\n".join(lines)


def new(services: Services, name: str, before: dict[str, int]) -> list[str]:
    """The lines that a service has logged since."""
    return log_lines(services, name)[before[name] :]
