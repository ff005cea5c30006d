"""Tools, installed packages, disk space and ports of this machine."""

import errno
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from platform_tools import project
from platform_tools.check import Finding
from platform_tools.start import running

BIN = Path(sys.executable).parent
# Updates are merged with `git merge-tree --write-tree`.
GIT = (2, 38)
# As in setup.py.
UV = (0, 13)
NODE = (22, 0)
GIB = 1024**3


def tools() -> Iterator[Finding]:
    """Python, git, uv and Node.js."""
    yield Finding("ok", "python", platform.python_version())
    yield _tool("git", shutil.which("git"), GIT, "Install git 2.38 or later: updates need it.")
    own = project.ROOT / ".cache" / "uv" / "bin"
    if found := shutil.which("uv"):
        yield _tool("uv", found, UV, "Install a newer uv.")
    elif shutil.which("uv", path=str(own)):
        fix = f'`uv run` needs it there: export PATH="{own}:$PATH"'
        yield Finding("warn", "uv", "not on PATH", fix)
    else:
        yield Finding("fail", "uv", "not found", "make setup")
    if (project.ROOT / "apps" / "web").is_dir():
        yield _tool("node", shutil.which("node", path=str(BIN)), NODE, "make setup")


def packages() -> Iterator[Finding]:
    """Whether the lock files exist, have the vendor's versions, and are installed."""
    lock = project.ROOT / "uv.lock"
    if not lock.exists():
        yield Finding("fail", "uv.lock", "missing", "make setup")
    elif drift := _drift(lock.read_text(), (project.ROOT / "constraints.txt").read_text()):
        yield Finding(
            "warn",
            "uv.lock",
            f"other versions than the vendor tested (constraints.txt): {', '.join(drift)}",
            "Fine if your requirements ask for them; "
            "otherwise: python3 scripts/customer-tools/setup.py --locks && make setup",
        )
    else:
        yield Finding("ok", "uv.lock", "has the vendor's tested versions")
    web = project.ROOT / "apps" / "web"
    if web.is_dir():
        installed = web / "node_modules" / ".platform-lock"
        lock = web / "package-lock.json"
        if not lock.exists() or not installed.exists():
            yield Finding("fail", "web packages", "not installed", "make setup")
        elif installed.read_text() != hashlib.sha256(lock.read_bytes()).hexdigest():
            yield Finding("warn", "web packages", "package-lock.json has changed", "make setup")
        else:
            yield Finding("ok", "web packages", "installed")


def disk() -> Iterator[Finding]:
    """Whether there is space for data, and permission to write it."""
    data = project.settings().data_dir
    folder = data if data.is_dir() else data.parent
    free = shutil.disk_usage(folder).free
    message = f"{free / GIB:.1f} GiB free for {data.name}/"
    if refused := _refused(folder):
        fix = "Give this user write permission (owner, mode, or a read-only mount)."
        yield Finding("fail", "disk", f"{folder} cannot be written: {refused}", fix)
    elif free < GIB / 2:
        yield Finding("fail", "disk", message, "Make room: databases stop when the disk is full.")
    elif free < 2 * GIB:
        yield Finding("warn", "disk", message, "Make room.")
    else:
        yield Finding("ok", "disk", message)


def ports() -> Iterator[Finding]:
    """Whether the services' ports are free or used by this project."""
    config = project.settings()
    mine = running.read_state(config.data_dir) or {}
    wanted = project.ports(config)
    others = {service: port for service, port in wanted.items() if not mine.get(service)}
    listeners, problems = running.listen(others, str(config.ports.bind))
    for listener in listeners.values():
        listener.close()
    for one in problems:
        message = f"needed by {one.service}, {one.message}"
        yield Finding("fail", f"port {one.port}", message, one.fix)
    for service in listeners:
        yield Finding("ok", f"port {wanted[service]}", f"free for {service}")
    for service in wanted.keys() - others.keys():
        yield Finding("ok", f"port {wanted[service]}", f"{service} of this project is running")


def _tool(name: str, path: str | None, least: tuple[int, int], fix: str) -> Finding:
    if not path:
        return Finding("fail", name, "not found", fix)
    try:
        result = subprocess.run(  # noqa: S603  # a tool found by its name
            [path, "--version"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        # A script whose interpreter is gone: the project was moved.
        return Finding("fail", name, f"{path} does not run: {error.strerror}", fix)
    if not (version := re.search(r"(\d+)\.(\d+)[.\d]*", result.stdout)):
        return Finding("fail", name, f"{path} does not run: {result.stderr.strip()}", fix)
    if (int(version[1]), int(version[2])) < least:
        return Finding("fail", name, f"{version[0]} is too old", fix)
    return Finding("ok", name, version[0])


def _refused(folder: Path) -> str | None:
    """Why a folder cannot be written; None if it can, or if the disk is merely full."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        return None if error.errno == errno.ENOSPC else error.strerror
    return None


def _drift(lock: str, constraints: str) -> list[str]:
    """Packages whose version in `uv.lock` is not in `constraints.txt`."""
    pinned = defaultdict(set)
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", constraints, re.M):
        pinned[name].add(version)
    return [
        f"{package['name']} {package['version']}"
        for package in tomllib.loads(lock)["package"]
        if package["name"] in pinned and package.get("version") not in pinned[package["name"]]
    ]
