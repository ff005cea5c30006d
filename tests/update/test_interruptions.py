"""A kill at any moment of either door: `--abort` and `--continue` both work."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from extensions.update.landing import files as landing
from extensions.update.landing.state import Folder
from tests.support.template import COPIER
from tests.support.updates import FILES, PLATFORM, Customer, Vendor, write
from tests.support.waiting import wait_until

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")


@pytest.fixture
def ready(vendor: Vendor, copy: Copy) -> Customer:
    """A project with edits, ignored files and an update of every kind to come, no conflict."""
    vendor.release("v1.1.0", {"shared/old/a.py": LOGGING + "a\n", ".env": "KEY=\n"})
    customer = copy(tag="v1.1.0")
    customer.commit({"shared/logging.py": EDITED, "apps/api/src/mine.py": "mine\n"})
    customer.write({".env": "KEY=secret\n", "notes.rej": "notes\n", "data/db": b"\0\1"})
    vendor.release(
        "v1.2.0",
        {
            "shared/logging.py": FIXED,
            "shared/old/a.py": None,
            "shared/old": LOGGING + "now a file\n",
            "apps/api/src/core/new.py": "new\n",
            ".env": "KEY=\nMORE=\n",
        },
    )
    return customer


def start(customer: Customer, door: str) -> "subprocess.Popen[bytes]":
    command = {
        "platform": [sys.executable, "-P", "-c", PLATFORM, "update", "--no-verify"],
        "copier": [str(COPIER), "update", "--trust", "--defaults"],
    }[door]
    tools = str(customer.root / "scripts/customer-tools")
    return subprocess.Popen(
        command,
        cwd=customer.root,
        env=os.environ | {"PYTHONPATH": tools, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_after(customer: Customer, door: str, seconds: float) -> None:
    """Kill the update and all its processes after some seconds, unless it has ended."""
    process = start(customer, door)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def unfinished(customer: Customer) -> bool:
    return (customer.root / ".git/platform-update/state.json").exists()


def recover(customer: Customer, door: str, way: str, before: set[object]) -> None:
    ignored = {name: customer.files()[name] for name in ("data/db",)}
    if not unfinished(customer):
        # Killed before it touched anything, or after it had ended.
        assert customer.snapshot() == before or "v1.2.0" in customer.read(".copier-answers.yml")
        return
    result = customer.platform("update", way)
    if way == "--continue" and result.code == 0:
        assert "_commit: v1.2.0" in customer.read(".copier-answers.yml")
        assert customer.read("shared/logging.py") == EDITED.replace("line 18\n", "line 18, new\n")
        assert (customer.root / "shared/old").exists(), result.output
        assert customer.read("shared/old") == LOGGING + "now a file\n"
        assert customer.read(".env") == "KEY=secret\n"
        assert customer.read("notes.rej") == "notes\n"
        assert customer.git("status", "--porcelain", "-uno") == "" or door == "copier"
    else:
        assert result.code == 0 or way == "--continue", result.output
        assert customer.snapshot() ^ before == set(), result.output
    assert ignored["data/db"] == customer.files()["data/db"]
    assert not unfinished(customer), result.output


@pytest.fixture
def resolved(vendor: Vendor, copy: Copy) -> Customer:
    """A project whose update has only to land."""
    customer = copy()
    customer.commit({"shared/b.py": "mine\n", "apps/api/src/mine.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/b.py": "theirs\n"})
    assert customer.update("platform").code == 3
    assert customer.platform("resolve", "--use", "framework").code == 0
    return customer


def test_a_stop_while_the_files_are_prepared(resolved: Customer) -> None:
    """What project/ lacks by then is not taken for deleted."""
    (resolved.root / ".git/platform-update/backup").write_text("in the way\n")
    stopped = resolved.platform("update", "--continue", "--no-verify")
    assert stopped.code == 1, stopped.output
    (resolved.root / ".git/platform-update/backup").unlink()

    result = resolved.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert resolved.read("shared/logging.py") == FIXED
    assert resolved.read("shared/b.py") == "theirs\n"
    changed = resolved.git("diff", "--name-status", "HEAD^", "HEAD").split("\n")
    assert not [line for line in changed if line.startswith("D")]
    assert len([line for line in changed if "docs/updates" in line]) == 1


@pytest.mark.parametrize("way", ["--abort", "--continue"])
def test_tools_of_two_versions(resolved: Customer, way: str) -> None:
    """A stop in the landing may leave some of the old tools and some of the new."""
    tools = resolved.root / "scripts/customer-tools/platform_tools"
    for path in tools.glob("*.py"):
        if path.name not in ("__init__.py", "cli.py", "update.py"):
            path.write_text("raise ImportError\n")

    result = resolved.platform("update", way)

    assert result.code == 0, result.output


def test_an_update_after_copiers_that_was_committed(vendor: Vendor, copy: Copy) -> None:
    """It runs the new version's engine, not that of the update that is over."""
    customer = copy()
    customer.commit({"shared/b.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/b.py": "theirs\n"})
    assert customer.update("copier").code != 0
    customer.commit({"shared/b.py": "both\n"})
    [old] = customer.root.glob(".git/platform-engine/*/extensions/update/engine.py")
    old.write_text("raise ImportError\n")
    vendor.release("v1.2.0", {"shared/logging.py": FIXED})

    customer.updated("platform")

    assert customer.read("shared/logging.py") == FIXED


def test_the_start_of_the_tools_lands_first(
    resolved: Customer, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, landed = "scripts/customer-tools/platform_tools/cli.py", []
    folder = Folder(resolved.root)
    state = folder.load()
    assert state
    for place, text in ((folder.project, "new\n"), (folder.backup, "old\n")):
        write(place, {start: text, "a.py": text})
    write(folder.backup, {"shared/gone.py": "old\n"})
    write(resolved.root, {start: "old\n", "a.py": "old\n", "shared/gone.py": "old\n"})
    state.touched = ["a.py", start, "shared/gone.py"]
    monkeypatch.setattr(landing, "_install", lambda source, target, **_: landed.append(target))

    landing.land(folder, state)
    assert landed == [resolved.root / start, resolved.root / "a.py"]

    landed.clear()
    write(resolved.root, {start: "new\n", "a.py": "new\n"})
    landing.take_back(folder, state)
    assert landed == [resolved.root / one for one in ("a.py", "shared/gone.py", start)]


def test_a_render_that_hangs_ends_with_the_update(
    vendor: Vendor, copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = copy()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    many = "{% for n in range(99999) %}"
    vendor.release("v1.1.0", {"slow.txt.jinja": f"{many}{many}{{% endfor %}}{{% endfor %}}\n"})
    process = start(customer, "platform")
    wait_until(lambda: any(tmp_path.glob("platform-render-*/project/*/platform.toml")))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (copier,) = (one for one in children if b"copier_worker" in command_of(one))

    process.kill()
    process.wait()

    wait_until(lambda: command_of(copier) == b"")


def command_of(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


@pytest.mark.parametrize("way", ["--abort", "--continue"])
@pytest.mark.parametrize(
    "count", [5, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_a_kill_at_random_moments(
    ready: Customer, door: str, way: str, count: int, tmp_path: Path
) -> None:
    pristine = tmp_path / "pristine"
    shutil.copytree(ready.root, pristine, symlinks=True)
    started = time.monotonic()
    assert start(ready, door).wait() == 0
    assert ready.read("shared/old") == LOGGING + "now a file\n"
    whole = time.monotonic() - started
    for seed in range(count):
        shutil.rmtree(ready.root)
        shutil.copytree(pristine, ready.root, symlinks=True)
        before = ready.snapshot()
        kill_after(ready, door, random.Random(seed).uniform(0.2, 1) * whole)
        recover(ready, door, way, before)


def test_an_engine_that_stores_more_than_the_project_knows(
    ready: Customer, vendor: Vendor, door: str
) -> None:
    """The commands that a project has are older than the engine that they start."""
    state = vendor.root / "extensions/update/landing/state.py"
    text = state.read_text()
    state.write_text(text.replace("    tree: str", '    more: str = "more"\n    tree: str', 1))
    vendor.release("v1.3.0")
    ready.commit({"shared/logging.py": LOGGING.replace("line 18\n", "line 18, mine\n")})
    before = ready.snapshot()

    assert ready.update(door).code != 0
    assert '"more"' in ready.read(".git/platform-update/state.json")
    result = ready.platform("update", "--abort")

    assert result.code == 0, result.output
    assert ready.snapshot() == before


STEPS = {
    "platform": ["save:1", "land:1", "_install:1", "_install:2", "_prune:1"],
    "copier": [
        *("save:1", "set_aside:1", "restore:1", "restore_index:1"),
        *("_install:1", "_install:2", "land:1"),
    ],
}


def stop_at(customer: Customer, door: str, step: str, vendor: Vendor) -> None:
    """Update to a new version whose engine kills itself at a step of landing/files.py."""
    step, when = step.split(":")
    landing = vendor.root / "extensions/update/landing/files.py"
    text = landing.read_text()
    bomb = (
        f"\n\n_real, _calls = {step}, []\n\n\n"
        f"def {step}(*arguments, **options):  # type: ignore[no-untyped-def]\n"
        "    import os, pathlib\n"
        "    fuse = pathlib.Path(os.environ.get('FUSE', '/nonexistent'))\n"
        "    _calls.append(1)\n"
        f"    if len(_calls) == {when} and fuse.exists():\n"
        "        fuse.unlink()\n"
        "        os.kill(os.getpid(), 9)\n"
        "    result = _real(*arguments, **options)\n"
        "    return result\n"
    )
    landing.write_text(text + bomb)
    vendor.release("v1.2.1")
    fuse = customer.root.parent / "fuse"
    fuse.touch()
    os.environ["FUSE"] = str(fuse)
    try:
        start(customer, door).wait()
    finally:
        del os.environ["FUSE"]


@pytest.mark.parametrize("way", ["--abort", "--continue"])
@pytest.mark.parametrize(
    ("door", "step"), [(door, step) for door, steps in STEPS.items() for step in steps]
)
def test_a_kill_in_the_middle_of_landing(
    ready: Customer, door: str, way: str, step: str, vendor: Vendor
) -> None:
    """The new version's engine kills itself when it reaches a step for the first or second time."""
    before = ready.snapshot()
    stop_at(ready, door, step, vendor)
    if not unfinished(ready):
        assert ready.snapshot() == before or "v1.2.1" in ready.read(".copier-answers.yml")
        return
    result = ready.platform("update", way)
    assert result.code == 0 or (way == "--continue" and "as it was" in result.output), result.output
    if way == "--abort" or result.code == 1:
        assert ready.snapshot() ^ before == set()
    else:
        assert "v1.2.1" in ready.read(".copier-answers.yml")
        assert ready.read("shared/logging.py") == EDITED.replace("line 18\n", "line 18, new\n")
    assert ready.read(".env") == "KEY=secret\n"
    assert ready.read("notes.rej") == "notes\n"


def test_a_lock_of_a_git_that_was_killed_with_copier(ready: Customer, vendor: Vendor) -> None:
    before = ready.snapshot()
    stop_at(ready, "copier", "restore:1", vendor)
    lock = ready.root / ".git/index.lock"
    lock.write_bytes(b"DIRC half")

    result = ready.platform("update", "--abort")

    assert result.code == 0, result.output
    assert ready.snapshot() == before


def test_a_lock_from_before_copiers_update_stays(ready: Customer, vendor: Vendor) -> None:
    stop_at(ready, "copier", "restore:1", vendor)
    lock = ready.root / ".git/index.lock"
    lock.write_bytes(b"DIRC half")
    os.utime(lock, (1, 1))

    result = ready.platform("update", "--abort")

    assert result.code == 1
    assert f"rm {lock}" in result.output
    lock.unlink()
    assert ready.platform("update", "--abort").code == 0
