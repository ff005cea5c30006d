"""`platform verify`: what must hold before a change is merged or deployed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_tools.project import ROOT

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """A command that exits with 0 when all is well, and the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Check:
    """The result of a step: how long it took, and all that its command printed."""

    name: str
    ok: bool
    seconds: float
    output: str


def show(root: Path = ROOT) -> int:
    """Run every check with progress, then a table. Returns the exit code: 0 when all hold."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table("check", "result", "seconds")
    with console.status("…") as status:

        def progress(step: Step) -> None:
            status.update(f"{step.name} …")
            if not console.is_terminal:
                console.print(f"{step.name} …")

        checks = run(root, progress)
    for check in checks:
        if not check.ok:
            console.rule(check.name, align="left")
            console.out(check.output.rstrip(), highlight=False)
        result = "[green]ok[/]" if check.ok else "[red]failed[/]"
        table.add_row(check.name, result, f"{check.seconds:.1f}")
    console.print(table)
    for part in missing(root):
        console.print(f"Not checked, as this project has none: {part}")
    failed = [check.name for check in checks if not check.ok]
    console.print(f"Failed: {', '.join(failed)}" if failed else "All checks hold.")
    return 1 if failed else 0


def run(root: Path, progress: Callable[[Step], None] = lambda step: None) -> list[Check]:
    """Run every check that applies to the project in `root`; `progress` is called before each."""
    checks = []
    for step in steps(root):
        progress(step)
        started = time.monotonic()
        ok, output = _run(step)
        checks.append(Check(step.name, ok, time.monotonic() - started, output))
    return checks


def steps(root: Path) -> Iterator[Step]:
    """The checks for the parts that the project has."""
    python = sys.executable
    yield Step("python format", (python, "-m", "ruff", "format", "--check", "."), root)
    yield Step("python lint", (python, "-m", "ruff", "check", "."), root)
    yield Step("python types", (python, "-m", "mypy"), root)
    yield Step("python tests", (python, "-m", "pytest", "-q"), root)
    web = root / "apps" / "web"
    if web.is_dir():
        for script in ("lint", "typecheck", "test"):
            name = "web types" if script == "typecheck" else f"web {script}"
            yield Step(name, ("npm", "run", "--silent", script), web)
    for path in _compose_files(root):
        command = ("docker", "compose", "--file", path.name, "config", "--quiet")
        yield Step(path.name, command, root)


def missing(root: Path) -> list[str]:
    """The parts that would be checked if the project had them."""
    parts = {"web": (root / "apps" / "web").is_dir(), "compose files": bool(_compose_files(root))}
    return [name for name, there in parts.items() if not there]


def _compose_files(root: Path) -> list[Path]:
    return sorted(root.glob("docker-compose*.yml"))


def _run(step: Step) -> tuple[bool, str]:
    # npm and node are in this project's own environment.
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    if not shutil.which(step.command[0], path=path):
        return False, f"{step.command[0]} is not installed."
    result = subprocess.run(  # noqa: S603  # the commands above
        step.command,
        cwd=step.folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return result.returncode == 0, result.stdout
