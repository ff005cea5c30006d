"""`platform verify`: what must pass before code is merged or deployed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_tools.project import ROOT

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Step:
    """A command that exits with 0 if it finds nothing wrong, and the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Result:
    """Whether a step passed, how long it took, and the output of its command."""

    name: str
    ok: bool
    seconds: float
    output: str


def show(root: Path = ROOT) -> int:
    """Run every step, then print the results. Returns the exit code: 0 if all passed, else 1."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    results = []
    with console.status("…") as status:
        for step in steps(root):
            status.update(f"{step.name} …")
            if not console.is_terminal:
                console.print(f"{step.name} …")
            results.append(run(step))
    table = Table("step", "result", "seconds")
    for one in results:
        if not one.ok:
            console.rule(one.name, align="left")
            console.out(one.output.rstrip(), highlight=False)
        result = "[green]ok[/]" if one.ok else "[red]failed[/]"
        table.add_row(one.name, result, f"{one.seconds:.1f}")
    console.print(table)
    for part in missing(root):
        console.print(f"Skipped (not in this project): {part}")
    failed = [one.name for one in results if not one.ok]
    console.print(f"Failed: {', '.join(failed)}" if failed else "Everything passed.")
    return 1 if failed else 0


def steps(root: Path) -> Iterator[Step]:
    """The steps for the parts that the project has."""
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
    """The parts with steps that the project does not have."""
    parts = {"web": (root / "apps" / "web").is_dir(), "compose files": bool(_compose_files(root))}
    return [name for name, there in parts.items() if not there]


def run(step: Step) -> Result:
    """Run a step."""
    started = time.monotonic()
    # npm and node are in this project's environment.
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    if not shutil.which(step.command[0], path=path):
        return Result(step.name, False, 0, f"{step.command[0]} is not installed.")
    done = subprocess.run(  # noqa: S603  # the commands above
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
    return Result(step.name, done.returncode == 0, time.monotonic() - started, done.stdout)


def _compose_files(root: Path) -> list[Path]:
    return sorted(root.glob("docker-compose*.yml"))
