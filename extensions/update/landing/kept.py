"""The engines in git's own folder: what `--continue`, `--abort` and `resolve` run later."""

import shutil
from pathlib import Path

from extensions.update.inputs.ownership import TABLE

PROGRAM = Path("extensions/update/__main__.py")
_ROOT = Path(__file__).resolve().parents[3]


def copy(engines: Path, name: str) -> Path:
    """Copy the running engine to the folder `name` in `engines`, unless it is there."""
    engine = engines / name
    if not engine.exists():
        new = engines / f"new-{name}"
        shutil.rmtree(new, ignore_errors=True)
        ignored = shutil.ignore_patterns("__pycache__", ".venv")
        try:
            shutil.copytree(_ROOT / "extensions", new / "extensions", ignore=ignored)
            table = new / TABLE.relative_to(_ROOT)
            table.parent.mkdir(parents=True)
            shutil.copyfile(TABLE, table)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        new.rename(engine)
    return engine


def running() -> str:
    """The name of the running engine's folder."""
    return _ROOT.name


def forget_others(engines: Path, name: str) -> None:
    """Remove all engines but `name`."""
    for engine in engines.iterdir() if engines.exists() else ():
        if engine.name != name:
            shutil.rmtree(engine, ignore_errors=True)
