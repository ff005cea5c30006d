"""A PostgreSQL server for tests: Debian's, in a temporary folder."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.ports import free_ports


class Server:
    """A server that a test may stop and start again; `url` ends with the empty database `postgres`.

    The URL is for SQLAlchemy.
    """

    def __init__(self, *options: str) -> None:
        [port] = free_ports(1)
        # The path of the socket must be short, and root may not run the server.
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self.url = f"postgresql+psycopg://platform@127.0.0.1:{port}/postgres"
        self._user = "postgres" if os.geteuid() == 0 else None
        settings = f"-p {port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._options = " ".join((settings, *options))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "--username=platform", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def start(self) -> None:
        """Start, and return when connections are accepted."""
        log = f"--log={self.folder}/log"
        self._run("pg_ctl", "--wait", f"--options={self._options}", log, "start")

    def stop(self) -> None:
        """Stop as a crash would: all connections break."""
        self._run("pg_ctl", "--mode=immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [_programs() / program, "--pgdata", self.folder / "data", *arguments]
        subprocess.run(
            command, user=self._user, cwd=self.folder, check=True, stdout=subprocess.DEVNULL
        )


@contextmanager
def postgresql(*options: str) -> Iterator[str]:
    """Run a server with `options`, until the context ends; yields its URL."""
    with running_server(*options) as server:
        yield server.url


@contextmanager
def running_server(*options: str) -> Iterator[Server]:
    """The same server, for tests that stop and start it; it runs at the end of the context."""
    server = Server(*options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


def new_database(url: str) -> str:
    """Create an empty database on the server of `url`; its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rpartition('/')[0]}/{name}"


def _programs() -> Path:
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        return found[-1]
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise RuntimeError("no PostgreSQL server: install Debian's package `postgresql`")
