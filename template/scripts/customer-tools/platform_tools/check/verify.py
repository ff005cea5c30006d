"""`platform verify`: what must pass before code is merged or deployed."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from platform_tools.check.delivered import WEB, Delivered, compare
from platform_tools.project import ROOT

BIN = Path(sys.executable).parent
PRODUCTION = "docker-compose.prod.yml"
SHELL = re.compile(rb"#!\s*(/usr)?/bin/(env )?(ba|da)?sh\b")


@dataclass(frozen=True)
class Step:
    """A command that exits with 0 if it finds nothing wrong, and the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path
    nothing: int = 0
    """The exit code when there is nothing to do."""


@dataclass(frozen=True)
class Result:
    """Whether a step passed, how long it took, and the output of its command."""

    name: str
    ok: bool
    seconds: float
    output: str


def show(root: Path = ROOT, *, everything: bool = False, images: bool = False) -> int:
    """Run every step, then print the results. Returns the exit code: 0 if all passed, else 1.

    The framework's tests are left out where its files are as delivered, unless `everything`.
    `images` builds the production images too.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    left_out: list[str] = []
    for part in () if everything else compare(root):
        if part.differences:
            console.print(_why(part))
        else:
            left_out += part.tests
    results = []
    with console.status("…") as status:
        for step in steps(root, left_out, images=images):
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
    if left_out:
        console.print(
            f"Left out: {len(left_out)} files of the framework's tests, since its code is as it was"
            " delivered. To run them too: uv run platform verify --all"
        )
    for name, reason in skipped(root).items():
        console.print(f"Skipped: {name} ({reason})")
    failed = [one.name for one in results if not one.ok]
    console.print(f"Failed: {', '.join(failed)}" if failed else "Everything passed.")
    return 1 if failed else 0


def steps(root: Path, left_out: Sequence[str] = (), *, images: bool = False) -> Iterator[Step]:
    """The steps for the parts that the project has, without the tests in `left_out`."""
    python = sys.executable
    yield Step("python format", (python, "-m", "ruff", "format", "--check", "."), root)
    yield Step("python lint", (python, "-m", "ruff", "check", "."), root)
    yield Step("python types", (python, "-m", "mypy"), root)
    ignored = [f"--ignore={path}" for path in left_out if path.endswith(".py")]
    # pytest has an exit code of its own for "no tests".
    nothing = 5 if ignored else 0
    yield Step("python tests", (python, "-m", "pytest", "-q", *ignored), root, nothing)
    web = root / "apps" / "web"
    if web.is_dir():
        for script in ("lint", "typecheck", "test"):
            name = "web types" if script == "typecheck" else f"web {script}"
            excluded = [
                f"--exclude={path.removeprefix(WEB)}" for path in left_out if script == "test"
            ]
            more = ("--", "--passWithNoTests", *excluded) if excluded else ()
            yield Step(name, ("npm", "run", "--silent", script, *more), web)
    without = skipped(root)
    for path in _compose_files(root):
        if path.name not in without:
            command = ("docker", "compose", "--file", path.name, "config", "--quiet")
            yield Step(path.name, command, root)
    yield from _container_steps(root)
    if images and (root / PRODUCTION).exists():
        # Not skipped without Docker: it was asked for.
        yield Step("images", ("docker", "compose", "--file", PRODUCTION, "build"), root)


def _container_steps(root: Path) -> Iterator[Step]:
    """The linters of Dockerfiles and of the shell scripts beside them."""
    files = sorted(path for path in (root / "deployment").rglob("*") if path.is_file())
    dockerfiles = [str(path) for path in files if path.name.startswith("Dockerfile")]
    scripts = [str(path) for path in files if _is_shell(path)]
    # There is no hadolint for Windows.
    if dockerfiles and sys.platform != "win32":
        yield Step("dockerfiles", (str(BIN / "hadolint"), *dockerfiles), root)
    if scripts:
        yield Step("shell scripts", (str(BIN / "shellcheck"), *scripts), root)


def _is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(SHELL.match(file.readline()))


def skipped(root: Path) -> dict[str, str]:
    """What is not checked, and the reason: a part that is not there, or that needs what is not."""
    reasons = {}
    if not (root / "apps" / "web").is_dir():
        reasons["web"] = "not in this project"
    if sys.platform == "win32":
        reasons["dockerfiles"] = "there is no hadolint for Windows"
    files = _compose_files(root)
    if not files:
        reasons["compose files"] = "not in this project"
    elif not _has_compose():
        return reasons | {path.name: "Docker Compose is not installed" for path in files}
    for path in files:
        needed = ".env.production"
        if needed in path.read_text(encoding="utf-8") and not (root / needed).exists():
            reasons[path.name] = f"{needed} is missing"
    return reasons


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
    ok = done.returncode in (0, step.nothing)
    return Result(step.name, ok, time.monotonic() - started, done.stdout)


def _why(part: Delivered) -> str:
    """Why a part's framework tests run."""
    found = part.differences
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        f"Running the framework's {part.name} tests too, as this is not as it was delivered:"
        f" {', '.join(found[:3])}{more}"
    )


def _has_compose() -> bool:
    try:
        command = ("docker", "compose", "version")
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _compose_files(root: Path) -> list[Path]:
    return sorted(root.glob("docker-compose*.yml"))
