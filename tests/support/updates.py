"""A vendor with a small template that ships the real update engine, and its customers."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.template import COPIER
from tests.support.template import ROOT as REPOSITORY

TOOLS = Path("template/scripts/customer-tools/platform_tools")
QUESTIONS = {
    "_subdirectory": "template",
    "_preserve_symlinks": True,
    "_exclude": ["{% if not web %}/apps/web{% endif %}", "__pycache__"],
    "_migrations": yaml.safe_load((REPOSITORY / "copier.yml").read_text())["_migrations"],
    "customer": {"type": "str", "default": "Acme"},
    "web": {"type": "bool", "default": True},
}
# The `platform` command, of the tools on PYTHONPATH.
PLATFORM = "import sys; from platform_tools.cli import main; sys.exit(main())"
ANSWERS = "{{ _copier_conf.answers_file }}.jinja"
Contents = str | bytes | None

FILES: dict[str, Contents] = {
    ANSWERS: "# Written by Copier\n{{ _copier_answers | to_nice_yaml -}}\n",
    ".gitignore.jinja": ".env\n*.rej\n/data/\n__pycache__/\n",
    "platform.toml.jinja": "name = {{ customer | tojson }}\n\n[ports]\napi = 9000\n",
    "shared/logging.py": "".join(f"line {n}\n" for n in range(1, 21)),
    "apps/api/src/core/app.py": "".join(f"app = {n}\n" for n in range(1, 21)),
    "apps/api/src/routes/hello.py": "hello = 1\n",
    "apps/web/index.html": "<html></html>\n",
}


def write(root: Path, files: Mapping[str, Contents]) -> None:
    """Write files below `root`; None removes one."""
    for name, contents in files.items():
        path = root / name
        if contents is None:
            path.unlink()
            with suppress(OSError):
                path.parent.rmdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)


def git(root: Path, *arguments: object) -> str:
    done = subprocess.run(
        ["git", "-C", root, *map(str, arguments)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)


def commit(root: Path, message: str = "change") -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


@dataclass(frozen=True)
class Vendor:
    """The template's repository."""

    root: Path

    def release(self, tag: str, files: Mapping[str, Contents] | None = None) -> None:
        """Change files of `template/` and tag the result."""
        write(self.root / "template", files or {})
        commit(self.root, tag)
        git(self.root, "tag", tag)

    def configure(self, **settings: object) -> None:
        """Change copier.yml."""
        path = self.root / "copier.yml"
        config = yaml.safe_load(path.read_text()) | settings
        path.write_text(yaml.safe_dump(config, sort_keys=False))


@dataclass(frozen=True)
class Result:
    """How a command ended, and all that it printed."""

    code: int
    output: str


@dataclass(frozen=True)
class Customer:
    """A project in git."""

    root: Path

    def write(self, files: Mapping[str, Contents]) -> None:
        write(self.root, files)

    def commit(self, files: Mapping[str, Contents] | None = None) -> str:
        self.write(files or {})
        return commit(self.root)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def git(self, *arguments: object) -> str:
        return git(self.root, *arguments)

    def platform(self, *arguments: object, **environment: str) -> Result:
        """Run the project's own `platform` command."""
        return run(
            [sys.executable, "-P", "-c", PLATFORM, *arguments],
            self.root,
            PYTHONPATH=str(self.root / "scripts/customer-tools"),
            **environment,
        )

    def update(self, door: str, *arguments: object, **environment: str) -> Result:
        """Update through "platform" or "copier"."""
        if door == "platform":
            return self.platform("update", "--no-verify", *arguments, **environment)
        return self.copier("update", "--trust", "--defaults", *arguments, **environment)

    def updated(self, door: str, *arguments: object) -> str:
        """Update, which must succeed; return what it says."""
        result = self.update(door, *arguments)
        assert result.code == 0, result.output
        return result.output

    def copier(self, *arguments: object, **environment: str) -> Result:
        return run([COPIER, *arguments], self.root, **environment)

    def files(self) -> dict[str, bytes]:
        """Every file but git's and what a set-up installs, with its kind, to compare in bytes."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = set(folders) - {".git", ".platform-update", ".venv", "node_modules"}
            for name in names:
                path = Path(folder, name)
                if path.is_symlink():
                    value = b"link " + os.fsencode(path.readlink())
                else:
                    value = b"%o " % (path.stat().st_mode & 0o111) + path.read_bytes()
                found[str(path.relative_to(self.root))] = value
        return found

    def snapshot(self) -> set[object]:
        """All that an update that did not happen must leave alone."""
        return {
            *self.files().items(),
            self.git("rev-parse", "HEAD"),
            self.git("rev-parse", "--abbrev-ref", "HEAD"),
            *self.git("ls-files", "--stage").splitlines(),
            self.git("stash", "list"),
        }


def run(command: list[object], root: Path, **environment: str) -> Result:
    done = subprocess.run(
        list(map(str, command)),
        cwd=root,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(errors="replace"))
