"""Fixtures of all tests: the template as a tagged clone, generated projects, a running platform."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from plumbum import local
from plumbum.cmd import git

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
COPIER = Path(sys.executable).with_name("copier")
# uv from the Makefile; nothing in a test may depend on who runs it.
ENVIRONMENT = {
    "PATH": f"{ROOT / '.cache/uv/bin'}{os.pathsep}{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@acme.example",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@acme.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def pytest_configure() -> None:
    os.environ.update(ENVIRONMENT)
    # The venv that runs the tests is none of a generated project's business.
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@contextmanager
def once(path: Path) -> Iterator[bool]:
    """Yield True to the one worker that has to make `path`; the others wait and get False."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = path.with_name(path.name + ".done")
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def clone_template(destination: Path, tag: str = f"v{VERSION}") -> Path:
    """Clone this repository with its uncommitted changes, in one commit tagged `tag`."""
    git("init", "--quiet", "--initial-branch", "main", destination)
    listed = git["-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]()
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, destination / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    with local.cwd(destination):
        git("add", "--all", "--force")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)
    return destination


@pytest.fixture(scope="session")
def template(shared_tmp: Path) -> Path:
    """The template as it stands, as a git repository whose only tag is the current version."""
    path = shared_tmp / "template"
    with once(path) as make:
        if make:
            clone_template(path)
    return path


@pytest.fixture(scope="session")
def copier_template(template: Path) -> Path:
    """The template that pytest-copier renders."""
    return template


@pytest.fixture(scope="session")
def copier_template_paths() -> list[str]:
    """What of the repository belongs to the template, for pytest-copier."""
    return ["copier.yml", "template", "extensions"]


def run_copier(*arguments: object, code: int = 0) -> str:
    """Run Copier's own command; return both of its outputs."""
    done = subprocess.run(
        [COPIER, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def generate(template: Path) -> Callable[..., Path]:
    """Copy the template to a path, with answers as keywords and defaults for the rest."""

    def copy(destination: Path, **answers: object) -> Path:
        data = [
            f"--data={name}={json.dumps(value) if isinstance(value, list) else value}"
            for name, value in answers.items()
        ]
        run_copier("copy", "--trust", "--defaults", "--quiet", *data, template, destination)
        return destination

    return copy


@pytest.fixture(scope="session")
def prepare(
    tmp_path_factory: pytest.TempPathFactory, generate: Callable[..., Path]
) -> Callable[[str], Path]:
    """Generate a project under a name and set it up as a customer would, once for each worker."""

    @cache
    def make(name: str) -> Path:
        path = generate(tmp_path_factory.getbasetemp() / "projects" / name)
        done = subprocess.run(["make", "setup"], cwd=path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return path

    return make


@pytest.fixture(scope="session")
def project(prepare: Callable[[str], Path]) -> Path:
    """A generated project, set up, not running; tests leave it as they found it."""
    return prepare("project")


@dataclass(frozen=True)
class Platform:
    """A running platform: addresses, the administrator's login, and its folder."""

    root: Path
    api: str
    web: str
    langgraph: str
    email: str
    password: str
    log: Path

    def run(self, *command: str) -> str:
        """Run a command in the project; return what it prints."""
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def wait_until(condition: Callable[[], object], what: Callable[[], str] = str) -> None:
    """Return when `condition` holds; fail with `what()` after two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen: {what()}")
        time.sleep(0.02)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when `condition` holds; fail with the log when the process ends or minutes pass."""
    deadline = time.monotonic() + 180
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"not ready:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


@contextmanager
def running(root: Path) -> Iterator[Platform]:
    """Run `platform dev` in a set-up project on free ports, until the context ends."""
    names = ("API", "WEB", "LANGGRAPH")
    settings = (root / ".env").read_text()
    ports = "".join(f"PORTS__{n}={p}\n" for n, p in zip(names, free_ports(3), strict=True))
    (root / ".env").write_text(re.sub(r"(?m)^PORTS__.*\n", "", settings) + ports)
    log, ready = root / "data" / "dev.log", root / "data" / "dev.json"
    ready.unlink(missing_ok=True)
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["uv", "run", "platform", "dev"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(ready.exists, process, log)
            addresses = json.loads(ready.read_text())
            email = tomllib.loads((root / "platform.toml").read_text())["customer"]["admin_email"]
            shown = subprocess.run(
                ["uv", "run", "platform", "admin", "reset-password", email],
                cwd=root,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            yield Platform(
                root=root,
                api=addresses["api"],
                web=addresses["web"],
                langgraph=addresses["langgraph"],
                email=email,
                password=json.loads(shown)["password"],
                log=log,
            )
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


@pytest.fixture(scope="session")
def platform(prepare: Callable[[str], Path]) -> Iterator[Platform]:
    """A generated project that is running with `platform dev`."""
    with running(prepare("platform")) as one:
        yield one
