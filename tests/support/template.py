"""This repository as a template: its root and version, a tagged clone, Copier's command."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from plumbum import local
from plumbum.cmd import git

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
COPIER = Path(sys.executable).with_name("copier")
# The Makefile's uv; an author and a git configuration that are the same on every machine.
ENVIRONMENT = {
    "PATH": f"{ROOT / '.cache/uv/bin'}{os.pathsep}{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@acme.example",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@acme.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def clone_template(destination: Path, tag: str = f"v{VERSION}") -> Path:
    """Clone this repository with its uncommitted changes, in one commit tagged `tag`."""
    git("init", "--quiet", "--initial-branch", "main", destination)
    listed = git["-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]()
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, destination / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    with local.cwd(destination):
        git("add", "--all", "--force")
        git("commit", "--quiet", "--message", tag)
        git("tag", tag)
    return destination


def run_copier(*arguments: object, code: int = 0) -> str:
    """Run the `copier` command; return its output and errors."""
    done = subprocess.run(
        [COPIER, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr
