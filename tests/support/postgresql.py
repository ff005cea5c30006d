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


@contextmanager
def postgresql(*options: str) -> Iterator[str]:
    """Run a server with `options`, until the context ends; yields its URL for SQLAlchemy.

    The URL ends with the empty database `postgres`.
    """
    [port] = free_ports(1)
    # The path of the socket must be short, and root may not run the server.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [_programs() / program, "--pgdata", folder / "data", *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "--username=platform", "--auth=trust", "--encoding=UTF8", "--no-sync")
    server = " ".join((f"-p {port} -k {folder} -c listen_addresses=127.0.0.1", *options))
    run("pg_ctl", "--wait", f"--options={server}", f"--log={folder}/log", "start")
    try:
        yield f"postgresql+psycopg://platform@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "--mode=immediate", "stop")
        shutil.rmtree(folder)


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
