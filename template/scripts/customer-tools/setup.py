#!/usr/bin/env python3
"""Prepares a fresh copy of this project: uv, Python packages, lock files, secrets, web packages.

    python3 scripts/customer-tools/setup.py            everything; run it again at any time
    python3 scripts/customer-tools/setup.py --locks    only rebuild the lock files

Needs Python 3.11 or later with venv and pip, and git. uv, npm and pip use the package indexes that
they are configured for. Finished steps are quick when they are repeated.

Exit codes: 0 done, 1 a step failed, 2 this machine lacks something, 3 a package index was out of
reach.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
CONSTRAINTS = ROOT / "constraints.txt"
WEB = ROOT / "apps" / "web"
# The release of uv that this was tested with.
OLDEST_UV = (0, 13)
# `make` compares its time with the files that the set-up depends on.
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
then run `make setup` again: it goes on where it stopped."""


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
        print("\nStopped. `make setup` goes on where it stopped.", file=sys.stderr)
        return 130
    print(f"Done in {time.monotonic() - started:.1f} s.")
    if not arguments.locks:
        print("Next: make dev")
        if shutil.which("uv") != str(uv):
            print(f'To type `uv run platform …`: export PATH="{uv.parent}:$PATH"')
    return 0


def set_up(uv: Path) -> None:
    """Bring the whole project to a state in which `platform dev` starts."""
    create_venv(uv)
    if not (ROOT / "uv.lock").exists():
        # The hashes are the vendor's: they prove that the mirror serves what was tested. The lock
        # that is made next holds the mirror's own hashes and guards every later installation.
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
    """Raises `SetupError` when this machine lacks something that no step can bring."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this is what tells the user of an old Python
        raise SetupError(
            f"Python 3.11 or later is needed; {sys.executable} is "
            f"{sys.version.split()[0]}. Name a newer one: make setup PYTHON=python3.12",
            2,
        )
    if not shutil.which("git"):
        raise SetupError("git is needed and not on PATH. Install it, then run this again.", 2)


def find_uv() -> Path:
    """A uv that is new enough: that on PATH, or one in `.cache/uv`, installed there with pip."""
    own = ROOT / ".cache" / "uv"
    for found in (shutil.which("uv"), shutil.which("uv", path=str(own / "bin"))):
        if found and uv_version(found) >= OLDEST_UV:
            return Path(found)
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "There is no uv on PATH that is new enough, and this Python cannot make a virtual\n"
            "environment to install it in.\n"
            "Install uv, or your system's package for venv (Debian and Ubuntu: python3-venv).",
            2,
        )
    run("Make a place for uv in .cache/uv", sys.executable, "-m", "venv", "--clear", own)
    uv = "uv>=" + ".".join(map(str, OLDEST_UV))
    run("Install uv there", own / "bin" / "python", "-m", "pip", "install", "--quiet", uv)
    return own / "bin" / "uv"


def uv_version(uv: str) -> tuple[int, ...]:
    """The version of a uv as numbers; empty when it does not run."""
    result = subprocess.run(  # noqa: S603  # a tool found by its name
        [uv, "--version"], capture_output=True, text=True, check=False
    )
    version = re.match(r"uv (\d+)\.(\d+)", result.stdout)
    return tuple(map(int, version.groups())) if version else ()


def create_venv(uv: Path) -> None:
    """Make `.venv` with the Python that runs this, unless there is one that works here."""
    python = VENV / "bin" / "python"
    # Its programs name the folder that they were installed in.
    moved = STAMP.exists() and STAMP.read_text() not in ("", str(ROOT))  # 0.1.0 wrote nothing
    if python.exists() and not moved:
        works = subprocess.run([python, "-c", ""], check=False)  # noqa: S603  # our own .venv
        if works.returncode == 0:
            return
    run(
        f"Make .venv with Python {sys.version.split()[0]}",
        *(uv, "venv", "--quiet", "--clear" if moved else "--allow-existing"),
        *("--python", sys.executable, VENV),
    )


def lock_python(uv: Path) -> None:
    """Write `uv.lock` with the versions of `constraints.txt`.

    Where a requirement of the customer's rules out a pin, the requirement wins, with a warning.
    """
    pins = read_pins(CONSTRAINTS.read_text())
    while True:
        title = "Lock the Python packages to the vendor's versions"
        try:
            run(title, uv, "lock", *(argument for pin in pins for argument in ("-P", pin)))
            return
        except SetupError as error:
            # uv names the pin that no solution can have; another may follow.
            ruled_out = [
                pin
                for pin in pins
                if re.search(rf"(?<![\w.-]){re.escape(pin)}(?!\w|\.\d)", str(error))
            ]
            if error.code != 1 or not ruled_out:
                raise
        pins = [pin for pin in pins if pin not in ruled_out]
        print(f"Your own requirements rule out the vendor's {', '.join(ruled_out)}; yours win.")


def read_pins(constraints: str) -> list[str]:
    """The pins of a constraints file as requirements for `uv lock -P`.

    A name that is pinned more than once, by markers, becomes a range: uv applies such a
    requirement to every environment, and one version would leave the others without a solution.
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
    """Create `.env` and fill in its secrets; `platform secrets` does the same."""
    script = ROOT / "scripts" / "customer-tools" / "platform_tools" / "secrets.py"
    run("Fill in .env", sys.executable, script)


def install_web() -> None:
    """Install the web packages, unless those of the lock file are there."""
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
    """Bring `package-lock.json` in line with `package.json`."""
    if (WEB / "package.json").exists():
        run(
            "Lock the web packages",
            *(find_npm(), "install", "--package-lock-only", "--no-audit", "--no-fund"),
            cwd=WEB,
        )


def find_npm() -> Path:
    """The npm that `.venv` brings, or that of the environment this runs in, or of the machine."""
    places = (VENV / "bin", Path(sys.executable).parent)
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    if found := shutil.which("npm", path=path):
        return Path(found)
    raise SetupError("npm is not in .venv. Run `make setup` first: it installs it.", 2)


def run(title: str, *command: str | Path, cwd: Path = ROOT) -> None:
    """Run one step, showing its title, its progress and its seconds.

    Its output is shown only when it fails. Raises `SetupError`.
    """
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    # uv would warn about, or install into, the environment of another project.
    environment.pop("VIRTUAL_ENV", None)
    program = Path(command[0])
    environment["PATH"] = f"{program.parent}{os.pathsep}{environment.get('PATH', '')}"
    with Progress(title):
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
    """End a step that was stopped with all that it started; npm's own processes would go on."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            process.poll()
            try:
                os.killpg(process.pid, how)
            except ProcessLookupError:
                return
            time.sleep(0.1)


class Progress:
    """Shows a step while it runs: one line that counts seconds, or a line now and then in a log."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.live = sys.stdout.isatty()
        self.stop = threading.Event()
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self._show("failed after" if kind else "ok", end="\n")

    def _tick(self) -> None:
        while not self.stop.wait(1 if self.live else 15):
            self._show("", end="" if self.live else "\n")

    def _show(self, state: str, end: str) -> None:
        seconds = f"{time.monotonic() - self.started:.1f} s"
        start = "\r\033[K" if self.live else ""
        print(f"{start}{self.title} … {state} {seconds}".replace("  ", " "), end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
