#!/usr/bin/env python3
"""Sets up this project: uv, Python packages, lock files, secrets, web packages.

    python3 scripts/customer-tools/setup.py            everything; can be repeated at any time
    python3 scripts/customer-tools/setup.py --locks    only rebuild the lock files

Needs Python 3.11 or later with venv and pip, and git. uv, npm and pip use the package indexes that
they are configured for. Repeating finished steps is quick.

Exit codes: 0 done, 1 a step failed, 2 something is missing on this machine, 3 a package index is
out of reach.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "constraints.txt"
WEB = ROOT / "apps" / "web"
# Tested with this release of uv.
OLDEST_UV = (0, 13)
# `make` compares its time with the inputs of the set-up.
STAMP = VENV / ".platform-setup"

UNREACHABLE = re.compile(
    r"error sending request|dns error|tcp connect|failed to lookup address|connection refused"
    r"|network is unreachable|network was disabled|Temporary failure in name resolution"
    r"|NewConnectionError|ConnectTimeout|Max retries exceeded|from versions: none"
    r"|tunnel error|proxy error|proxy authentication|operation timed out|read timed out"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH",
    re.I,
)
UNREACHABLE_HINT = """A package index is out of reach. Behind a firewall, name your mirrors once:
  uv    UV_DEFAULT_INDEX=<address>, or `[[index]]` in ~/.config/uv/uv.toml (uv reads no pip.conf)
  pip   PIP_INDEX_URL=<address>, or pip.conf
  npm   npm config set registry <address>
then run `make setup` again: it continues with the failed step."""


class SetupError(Exception):
    """A step failed; `code` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--locks", action="store_true", help="only rebuild the lock files")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        check_machine()
        uv = find_uv()
        if arguments.locks:
            lock_python(uv)
            lock_web()
        else:
            set_up(uv)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `make setup` continues with the stopped step.", file=sys.stderr)
        return 130
    print(f"Done in {time.monotonic() - started:.1f} s.")
    if not arguments.locks and shutil.which("uv") != str(uv):
        print(f'To type `uv run platform …`: export PATH="{uv.parent}:$PATH"')
    return 0


def set_up(uv: Path) -> None:
    """Prepare everything that `platform dev` needs."""
    create_venv(uv)
    if not (ROOT / "uv.lock").exists():
        # The vendor's hashes prove that the mirror serves the tested packages. The lock file that
        # is made next has the mirror's hashes, for later installations.
        run(
            "Install the vendor's tested versions, checked by hash",
            *(uv, "pip", "install", "--require-hashes", "--python", VENV, "-r", CONSTRAINTS),
        )
        lock_python(uv)
    run("Install the project and what you added", uv, "sync")
    fill_secrets()
    install_web()
    STAMP.write_text(str(ROOT))


def check_machine() -> None:
    """Raises `SetupError` if something is missing that no step can install."""
    if sys.version_info < (3, 11):  # noqa: UP036  # for users of an old Python
        raise SetupError(
            f"Python 3.11 or later is needed; {sys.executable} is "
            f"{sys.version.split()[0]}. Name a newer one: make setup PYTHON=python3.12",
            2,
        )
    if not shutil.which("git"):
        raise SetupError("git is needed, and not on PATH. Install it, then run this again.", 2)


def find_uv() -> Path:
    """A recent uv: on PATH, or in `.cache/uv`, where pip installs it if necessary."""
    own = ROOT / ".cache" / "uv"
    for found in (shutil.which("uv"), shutil.which("uv", path=str(own / "bin"))):
        if found and uv_version(found) >= OLDEST_UV:
            return Path(found)
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "No recent uv on PATH, and this Python cannot create a virtual environment for one.\n"
            "Install uv, or your system's package for venv (Debian and Ubuntu: python3-venv).",
            2,
        )
    run("Create .cache/uv for uv", sys.executable, "-m", "venv", "--clear", own)
    uv = "uv>=" + ".".join(map(str, OLDEST_UV))
    run("Install uv in .cache/uv", own / "bin" / "python", "-m", "pip", "install", "--quiet", uv)
    return own / "bin" / "uv"


def uv_version(uv: str) -> tuple[int, ...]:
    """The version of a uv as numbers; empty if it does not run."""
    result = subprocess.run(  # noqa: S603  # a tool found by its name
        [uv, "--version"], capture_output=True, text=True, check=False
    )
    version = re.match(r"uv (\d+)\.(\d+)", result.stdout)
    return tuple(map(int, version.groups())) if version else ()


def create_venv(uv: Path) -> None:
    """Create `.venv` with the Python that runs this, unless there is one that works."""
    python = VENV / "bin" / "python"
    # The programs in `.venv` contain the path of the folder in which they were installed.
    moved = STAMP.exists() and STAMP.read_text() != str(ROOT)
    if python.exists() and not moved:
        works = subprocess.run([python, "-c", ""], check=False)  # noqa: S603  # our own .venv
        if works.returncode == 0:
            return
    run(
        f"Create .venv with Python {sys.version.split()[0]}",
        *(uv, "venv", "--quiet", "--clear" if moved else "--allow-existing"),
        *("--python", sys.executable, VENV),
    )


def lock_python(uv: Path) -> None:
    """Write `uv.lock` with the versions of `constraints.txt`.

    A requirement of the customer that excludes a pin wins, with a warning.
    """
    pins = read_pins(CONSTRAINTS.read_text())
    while True:
        title = "Lock the Python packages to the vendor's versions"
        try:
            run(title, uv, "lock", *(argument for pin in pins for argument in ("-P", pin)))
            return
        except SetupError as error:
            # uv names one excluded pin at a time.
            excluded = [
                pin
                for pin in pins
                if re.search(rf"(?<![\w.-]){re.escape(pin)}(?!\w|\.\d)", str(error))
            ]
            if error.code != 1 or not excluded:
                raise
        pins = [pin for pin in pins if pin not in excluded]
        print(f"Your requirements exclude the vendor's {', '.join(excluded)}: using yours.")


def read_pins(constraints: str) -> list[str]:
    """The pins of a constraints file as requirements for `uv lock -P`.

    A package with several pins, by markers, gets a range: uv applies a requirement to all
    environments, and one version would leave the others without a solution.
    """
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", constraints, re.M):
        versions.setdefault(name, []).append(version)
    pins = []
    for name, found in versions.items():
        found.sort(key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
        low, high = found[0], found[-1]
        pins.append(f"{name}=={low}" if low == high else f"{name}>={low},<={high}")
    return pins


def fill_secrets() -> None:
    """Create `.env` and generate its secrets, as `platform secrets` does."""
    script = ROOT / "scripts" / "customer-tools" / "platform_tools" / "create" / "env_file.py"
    run("Create .env", sys.executable, script)


def install_web() -> None:
    """Install the web packages, unless those of the lock file are installed."""
    lock = WEB / "package-lock.json"
    if not (WEB / "package.json").exists():
        return
    if not lock.exists():
        lock_web()
    mark = WEB / "node_modules" / ".platform-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    run("Install the web packages", find_npm(), "ci", "--no-audit", "--no-fund", cwd=WEB)
    mark.write_text(digest)


def lock_web() -> None:
    """Update `package-lock.json` for `package.json`."""
    if (WEB / "package.json").exists():
        run(
            "Lock the web packages",
            *(find_npm(), "install", "--package-lock-only", "--no-audit", "--no-fund"),
            cwd=WEB,
        )


def find_npm() -> Path:
    """The npm of `.venv`, of the environment that runs this, or of the machine."""
    places = (VENV / "bin", Path(sys.executable).parent)
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    if found := shutil.which("npm", path=path):
        return Path(found)
    raise SetupError("npm is not in .venv: run `make setup` first.", 2)


def run(title: str, *command: str | Path, cwd: Path = ROOT) -> None:
    """Run one step and show its title and seconds, and its output if it fails.

    Raises `SetupError`.
    """
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    # uv would use the environment of another project, or warn about it.
    environment.pop("VIRTUAL_ENV", None)
    program = Path(command[0])
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment.get('PATH', '')}"
    with progress(title):
        process = subprocess.Popen(  # noqa: S603  # the commands of this file
            [str(part) for part in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
        try:
            output, _ = process.communicate()
        except BaseException:
            end_group(process)
            raise
        if process.returncode:
            message = f"{output.rstrip()}\n\n{title}: failed."
            if UNREACHABLE.search(output):
                raise SetupError(f"{message}\n{UNREACHABLE_HINT}", 3)
            raise SetupError(message)


def end_group(process: subprocess.Popen[str]) -> None:
    """End a stopped step with all its descendants; those of npm would continue."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            process.poll()
            try:
                os.killpg(process.pid, how)
            except ProcessLookupError:
                return
            time.sleep(0.1)


@contextmanager
def progress(title: str) -> Iterator[None]:
    """Show a running step: on a terminal every second, in a log every 15 seconds."""
    live, started, stop = sys.stdout.isatty(), time.monotonic(), threading.Event()

    def show(state: str, end: str = "\n") -> None:
        start = "\r\033[K" if live else ""
        print(f"{start}{title} … {state}{time.monotonic() - started:.1f} s", end=end, flush=True)

    def tick() -> None:
        while not stop.wait(1 if live else 15):
            show("", end="" if live else "\n")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    state = "failed after "
    try:
        yield
        state = "ok "
    finally:
        stop.set()
        thread.join()
        show(state)


if __name__ == "__main__":
    sys.exit(main())
