"""Services on both databases."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.api.services import Conversation, NewServices, Services
from tests.support.ports import free_ports
from tests.support.postgresql import new_database, postgresql


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server for this test session."""
    with postgresql("-c fsync=off") as url:
        yield url


@pytest.fixture(scope="session")
def new_services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewServices:
    """Makes a project on an empty database of a kind; nothing is written or started yet."""

    def make(kind: str) -> Services:
        url = ""
        if kind == "postgresql":
            url = new_database(request.getfixturevalue("postgresql_url"))
        return Services(tmp_path_factory.mktemp("services"), *free_ports(2), database_url=url)

    return make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def services(request: pytest.FixtureRequest, new_services: NewServices) -> Iterator[Services]:
    """API and agents service, running, on each database."""
    services = new_services(request.param)
    try:
        services.prepare()
        services.start_agents()
        services.start_api()
        yield services
    finally:
        services.stop()


@pytest.fixture
def browser(services: Services) -> Iterator[httpx2.Client]:
    """A client that is signed in."""
    with services.browser() as client:
        yield client


@pytest.fixture
def conversation(browser: httpx2.Client) -> Conversation:
    """A new conversation with the test agent."""
    return Conversation(browser)
