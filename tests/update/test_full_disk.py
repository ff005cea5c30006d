"""A disk that is full at some moment of either door: `--abort` and `--continue` work afterwards."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.updates import FILES, Customer, Result, Vendor

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
BOTH = EDITED.replace("line 18\n", "line 18, new\n")
KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 16 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    options = f"size=16m,uid={os.geteuid()}"
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "none", path], check=True)
    yield path
    subprocess.run([*as_root, "umount", "--lazy", path], check=True)


@pytest.fixture
def customer(vendor: Vendor, copy: Copy, disk: Path) -> Customer:
    """A project on that disk with edits and an update to come; what it writes is not small."""
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    shutil.move(customer.root, disk / "acme")
    customer = Customer(disk / "acme")
    customer.write({".env": "KEY=secret\n"})
    new: dict[str, str | bytes | None] = {
        f"shared/new{n}.bin": os.urandom(100 * KIB) for n in range(5)
    }
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, **new})
    return customer


def update(customer: Customer, door: str, free: int) -> Result:
    """Update with so many bytes left on the disk; then make room again."""
    filler = customer.root.parent / "filler"
    with filler.open("wb") as file:
        left = shutil.disk_usage(filler.parent).free - free
        os.posix_fallocate(file.fileno(), 0, left)
    try:
        return customer.update(door)
    finally:
        filler.unlink()


def phase(customer: Customer) -> str:
    """How far an unfinished update has come."""
    state = customer.root / ".git/platform-update/state.json"
    return str(json.loads(state.read_text())["phase"]) if state.exists() else ""


@pytest.mark.parametrize(
    ("door", "least", "phases"),
    [
        ("platform", 1100, {"", "ready", "landing"}),
        ("copier", 300, {"", "copier", "landing"}),
    ],
)
def test_nothing_is_lost(
    door: str, least: int, phases: set[str], customer: Customer, tmp_path: Path
) -> None:
    """With a little more room each time, until there is enough."""
    pristine = tmp_path / "pristine"
    shutil.copytree(customer.root, pristine, symlinks=True)
    seen, free, way = set(), least * KIB, "--abort"
    while True:
        shutil.rmtree(customer.root)
        shutil.copytree(pristine, customer.root, symlinks=True)
        before = customer.snapshot()
        result = update(customer, door, free)
        if result.code == 0:
            break
        seen.add(phase(customer))
        recover(customer, way, before, result.output)
        free, way = free + 200 * KIB, "--abort" if way == "--continue" else "--continue"
    assert seen >= phases
    assert customer.read("shared/logging.py") == BOTH


def recover(customer: Customer, way: str, before: set[object], said: str) -> None:
    if not phase(customer):
        assert customer.snapshot() == before, said
        return
    result = customer.platform("update", way)
    if way == "--continue" and result.code == 0:
        assert customer.read("shared/logging.py") == BOTH
        assert customer.read(".env") == "KEY=secret\n"
    else:
        assert result.code == 0 or "as it was" in result.output, said + result.output
        assert customer.snapshot() ^ before == set(), said + result.output
    assert not phase(customer)
