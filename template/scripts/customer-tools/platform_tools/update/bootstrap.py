"""Starts the engine of the version that is updated to.

This is the only part of an update that an old project runs of its own, so it stays small: find the
project, fetch the template, take the tools out of the wanted version, become them.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NoReturn

from platform_tools.errors import PlatformError
from platform_tools.update import source
from platform_tools.update.project import Project

ANSWERS = ".copier-answers.yml"


def find_root(start: Path) -> Path:
    """The project's folder, from any folder inside it."""
    for folder in (start, *start.parents):
        if (folder / ANSWERS).exists():
            return folder
        if (folder / ".git").exists():
            break
    raise PlatformError(
        f"No project here: {start} and the folders above it have no {ANSWERS}.",
        "Change to the project's folder.",
        2,
    )


def begin(root: Path, action: str, to: str | None, bundle: str | None, **options: Any) -> NoReturn:
    """`platform update` and its preview: replace this process by the new version's engine."""
    project = Project(root)
    project.check()
    state = project.git.path("platform-update").absolute()
    if (state / "state.json").exists():
        raise PlatformError(
            "An update is unfinished.",
            "Go on: platform update --continue\nGive up: platform update --abort",
        )
    if action == "preview":
        place = Path(mkdtemp(prefix="platform-preview-"))
    else:
        place = state
        state.mkdir(exist_ok=True)
        _lock(state)
        for old in ("template", "engine", "backup"):
            shutil.rmtree(state / old, ignore_errors=True)
    address = bundle or str(project.answers["_src_path"])
    template = source.fetch(address, place / "template", Path.cwd() if bundle else root)
    ref = to or source.newest(template)
    release = source.release(template, ref, address)
    if not release:
        raise PlatformError(f"The template has no version {ref}.", "Versions are its tags.", 2)
    source.export_engine(template, release.oid, place / "engine")
    request = {
        "action": action,
        "root": str(root),
        "template": str(template),
        "ref": release.oid,
        # A bundle is how this version came, not where the template lives.
        "source": str(project.answers["_src_path"]),
        "temporary": str(place) if action == "preview" else "",
        "locked": action != "preview",
        **options,
    }
    _become(place / "engine", request)


def go_on(root: Path, action: str, **options: Any) -> NoReturn:
    """`--continue`, `--abort` and `resolve`, in the engine that began the update."""
    state = Project(root).git.path("platform-update").absolute()
    engine = state / "engine"
    if not (state / "state.json").exists() or not engine.exists():
        engine = Path(__file__).parents[2]
    else:
        _lock(state)
        options["locked"] = True
    _become(engine, {"action": action, "root": str(root), **options})


def _lock(state: Path) -> None:
    """Hold the state's lock until this process, and what it becomes, has ended."""
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PlatformError(
            "Another update of this project is running.", "Wait until it has ended."
        ) from None
    os.set_inheritable(descriptor, True)


def _become(engine: Path, request: Mapping[str, Any]) -> NoReturn:
    environment = os.environ | {"PYTHONPATH": str(engine), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-m", "platform_tools.update.engine", json.dumps(request)]
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)  # noqa: S606  # no shell
