"""The Python environment of the engine: that of the project, or one with what it lacks.

Standard library only. The project's environment has the packages that the engine of its own version
needed; the engine that runs may be of a newer one.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9.]+)")


def enter(folder: Path, arguments: list[str]) -> None:
    """Run the engine in `folder` again in its own environment, where this one lacks something.

    That environment is made once for an engine, from the package index that pip or uv is set up
    with, and stays beside the engine. Exits with code 1 when it cannot be made.
    """
    if not (lacking := missing(folder)):
        return
    venv = folder / ".venv"
    python = venv / "bin" / "python"
    if sys.prefix == str(venv):
        sys.exit(f"The engine's environment lacks {', '.join(lacking)}: rm -r {venv}, try again.")
    if not (venv / "ready").exists():
        print(
            f"The new version's update needs {', '.join(lacking)}: installing its packages in\n"
            f"  {venv}",
            file=sys.stderr,
            flush=True,
        )
        _install(folder, venv)
        (venv / "ready").touch()
    os.execv(python, [str(python), str(folder / "__main__.py"), *arguments])


def missing(folder: Path) -> list[str]:
    """The requirements in the engine's pyproject.toml that this environment does not meet."""
    declared = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return [one for one in declared["project"]["dependencies"] if not _met(one)]


def _met(requirement: str) -> bool:
    if not (found := _REQUIREMENT.fullmatch(requirement)):
        return False
    try:
        return _numbers(version(found[1])) >= _numbers(found[2])
    except PackageNotFoundError:
        return False


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _install(folder: Path, venv: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    hashed = ["--require-hashes", "-r", str(folder / "constraints.txt")]
    own = Path.cwd() / ".cache" / "uv" / "bin" / "uv"
    uv = shutil.which("uv") or (str(own) if own.exists() else "")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(venv)],
            [uv, "pip", "install", "--quiet", "--python", str(venv), *hashed],
        ]
    else:
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        steps = [
            [sys.executable, "-m", "venv", str(venv)],
            [*pip, "--disable-pip-version-check", *hashed],
        ]
    for step in steps:
        if subprocess.run(step, stdout=sys.stderr, check=False).returncode:
            shutil.rmtree(venv, ignore_errors=True)
            sys.exit(
                "The packages of the new version's update engine cannot be installed (see above);\n"
                "the project is as it was. Name your mirror (UV_DEFAULT_INDEX or PIP_INDEX_URL)\n"
                "and try again."
            )
