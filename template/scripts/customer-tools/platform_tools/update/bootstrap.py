"""Starts the engine of the version that is updated to.

This is the only part of an update that an old project runs of its own, so it stays small: find the
project, fetch the template, take the tools out of the wanted version, become them. It does so in
the same process: starting Python again would take a tenth of an update's time.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NoReturn

from platform_tools.errors import PlatformError
from platform_tools.update import copier_process, source
from platform_tools.update.project import Project
from platform_tools.update.state import Folder, State, lock

ANSWERS = ".copier-answers.yml"
_TOOLS = "scripts/customer-tools/platform_tools"


def find_root(start: Path) -> Path:
    """The project's folder, from any folder inside it."""
    for folder in (start, *start.parents):
        # Without its answers a project is still one: what needs them says that they are missing.
        if (folder / ANSWERS).exists() or (folder / _TOOLS).exists():
            return folder
        if (folder / ".git").exists():
            break
    raise PlatformError(
        f"No project here: {start} and the folders above it have no {ANSWERS}.",
        "Change to the project's folder.",
        2,
    )


def begin(
    root: Path,
    action: str,
    to: str | None,
    bundle: str | None,
    **options: Any,
) -> NoReturn:
    """`platform update` and its preview: go on as the new version's engine."""
    copier = copier_process.started()
    project = Project(root)
    preview = action == "preview"
    project.check()
    folder = Folder(root, project.git_folder)
    if (state := folder.load()) and not _committed_since(project, state):
        raise PlatformError(
            "An update is unfinished.",
            "Go on: uv run platform update --continue\nGive up: uv run platform update --abort",
        )
    if not preview:
        project.check_committed()
    place = Path(mkdtemp(prefix="platform-preview-")) if preview else folder.path
    if not preview:
        place.mkdir(exist_ok=True)
        _lock(place)
        folder.empty()
    try:
        engine, request = _prepare(project, place, to, bundle)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    request |= {"temporary": str(place)} if preview else {"locked": True}
    _become(engine, {"action": action, "root": str(root), **request, **options}, copier)


def go_on(root: Path, action: str, **options: Any) -> NoReturn:
    """`--continue`, `--abort` and `resolve`, in the engine that began the update."""
    folder = Folder(root)
    engine = Path(__file__).parents[2]
    if folder.load() and folder.engine.exists():
        _lock(folder.path)
        engine, options = folder.engine, options | {"locked": True}
    _become(engine, {"action": action, "root": str(root), **options})


def _prepare(
    project: Project, place: Path, to: str | None, bundle: str | None
) -> tuple[Path, dict[str, Any]]:
    """Fetch the template and take out the engine; return its folder and the request for it."""
    address = bundle or str(project.answers["_src_path"])
    template = source.fetch(address, place / "template", Path.cwd() if bundle else project.root)
    ref = to or source.newest(template)
    release = source.release(template, ref, address)
    if not release:
        raise PlatformError(f"The template has no version {ref}.", "Versions are its tags.", 2)
    # An older engine may not even know how it is called.
    source.refuse_older(release, str(project.answers["_commit"]))
    engine = source.export_engine(template, release.oid, place / "engine")
    # A bundle is how this version came, not where the template lives.
    home = str(project.answers["_src_path"])
    return engine, {"template": str(template), "ref": release.oid, "source": home}


def _committed_since(project: Project, state: State) -> bool:
    """Whether the user committed what Copier's update left in the work tree."""
    return state.door == "copier" and state.phase == "landed" and project.head != state.start


def _lock(state: Path) -> None:
    """Hold the state's lock until this process has ended."""
    lock(os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600))


def _become(
    engine: Path, request: Mapping[str, Any], copier: copier_process.CopierProcess | None = None
) -> NoReturn:
    """Forget these tools and run the engine of those in the folder `engine`."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "platform_tools"]:
        del sys.modules[name]
    sys.path.insert(0, str(engine))
    sys.dont_write_bytecode = True
    new = import_module("platform_tools.update.engine")
    raise SystemExit(new.main(json.dumps(request), copier))
