"""Services on both databases."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.api.services import Conversation, Services
from tests.conftest import free_ports

NewServices = Callable[[str], Services]
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a temporary PostgreSQL server, without a database's name."""
    assert POSTGRESQL, "PostgreSQL is missing: apt-get install postgresql"
    # Its socket's path must be short, and root may not run it.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    [port] = free_ports(1)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [POSTGRESQL[-1] / program, *arguments], user=user, cwd=folder, check=True, timeout=60
        )

    data = str(folder / "data")
    run("initdb", "--pgdata", data, "--username=test", "--auth=trust", "--no-sync")
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    run(
        "pg_ctl", "--pgdata", data, "--wait", f"--options={options}", f"--log={folder}/log", "start"
    )
    yield f"postgresql://test@127.0.0.1:{port}"
    run("pg_ctl", "--pgdata", data, "--mode=immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewServices:
    """Makes a project on an empty database of a kind; nothing is written or started yet."""

    def make(kind: str) -> Services:
        url = ""
        if kind == "postgresql":
            server, name = request.getfixturevalue("postgresql"), f"platform_{uuid.uuid4().hex}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            url = f"{server}/{name}".replace("postgresql:", "postgresql+psycopg:")
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
