"""Fixtures for tests of the agents service, on SQLite and PostgreSQL."""

import json
import site
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.agents.receiver import PORTS
from tests.agents.service import TEMPLATE, WEBHOOK_SECRET, Service, running
from tests.support.postgresql import new_database, postgresql

# The clients are those that the platform itself pins, and its modules are tested where they stand.
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
site.addsitedir(str(TEMPLATE / ".venv/lib" / VERSION / "site-packages"))
sys.path.append(str(TEMPLATE))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in development, on SQLite; each test creates its threads."""
    with running(
        tmp_path_factory.mktemp("agents"),
        AGENTS__WEBHOOK_HOSTS=json.dumps([f"127.0.0.1:{port}" for port in PORTS]),
        AGENTS__WEBHOOK_SECRET=WEBHOOK_SECRET,
    ) as service:
        yield service


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server for this test session."""
    with postgresql() as url:
        yield url


@pytest.fixture
def client(service: Service) -> Iterator[httpx2.Client]:
    """An HTTP client of the service, as a developer on this machine."""
    with httpx2.Client(base_url=service.url, timeout=30) as client:
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings of an empty database of either kind."""
    if request.param == "sqlite":
        return {}
    url = request.getfixturevalue("postgresql_url")
    return {"DATABASE__KIND": "postgresql", "DATABASE__URL": new_database(url)}
