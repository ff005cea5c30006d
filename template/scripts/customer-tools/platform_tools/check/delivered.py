"""Whether the framework's files are as they were delivered, with the packages it was tested with.

`delivered.txt` lists them: the id of the git blob, and the path. Creation and updates write it.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LISTING = Path("scripts", "customer-tools", "delivered.txt")
WEB = "apps/web/"
GENERATED = "apps/web/src/core/client/"
TEST = re.compile(r"(^|/)test_[^/]+\.py$|\.test\.ts$")


@dataclass(frozen=True)
class Delivered:
    """The framework's tests of a part ("python", "web"), and what is not as it was delivered."""

    name: str
    tests: list[str]
    differences: list[str]


def compare(root: Path) -> tuple[Delivered, Delivered]:
    """Compare both parts of the project with its list."""
    try:
        lines = (root / LISTING).read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    files = {path: oid for oid, _, path in (line.partition("  ") for line in lines)}
    changed = [path for path, oid in files.items() if not _is(root / path, oid)]
    changed += [path for path in _code(root) if path not in files]
    if not files:
        changed = [LISTING.as_posix()]
    tests = [path for path in files if TEST.search(path)]
    python = (
        [path for path in tests if not path.startswith(WEB)],
        [path for path in changed if not path.startswith(WEB)] + list(_packages(root)),
    )
    web = (
        [path for path in tests if path.startswith(WEB)],
        [path for path in changed if path.startswith(WEB)],
    )
    return Delivered("python", *python), Delivered("web", *web)


def _is(path: Path, oid: str) -> bool:
    """Whether a file has the blob id, also where git has written it with other line endings."""
    try:
        contents = path.read_bytes()
    except OSError:
        return False
    return any(
        hashlib.sha1(b"blob %d\0" % len(one) + one, usedforsecurity=False).hexdigest() == oid
        for one in (contents, contents.replace(b"\r\n", b"\n"))
    )


def _code(root: Path) -> Iterator[str]:
    """The code in the framework's folders: what was not delivered there may change it."""
    for folder in (*root.glob("apps/*/src/core"), root / "shared"):
        for path in folder.rglob("*"):
            name = path.relative_to(root).as_posix()
            code = path.suffix in (".py", ".ts", ".vue") and not TEST.search(name)
            if code and not name.startswith(GENERATED):
                yield name


def _packages(root: Path) -> Iterator[str]:
    """Installed packages of other versions than those that the framework was tested with."""
    tested: dict[str, set[str]] = {}
    constraints = (root / "constraints.txt").read_text(encoding="utf-8")
    for name, number in re.findall(r"^([\w.-]+)==([^\s;]+)", constraints, re.M):
        tested.setdefault(name, set()).add(number)
    for name, numbers in tested.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            # Of another system, or not needed.
            continue
        if installed not in numbers:
            yield f"{name} {installed}"
