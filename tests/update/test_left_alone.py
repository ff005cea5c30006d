"""What is the customer's own, and what was done in the meantime, is not touched in silence."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.template import COPIER
from tests.support.updates import FILES, Customer, Vendor
from tests.support.waiting import wait_until

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
MINE = LOGGING.replace("line 18\n", "line 18, mine\n")
FILTER = """#!/bin/sh
test -f "$(git rev-parse --git-dir)/key" || { echo "no key" >&2; exit 1; }
tr a-z n-za-m
"""


def landed(customer: Customer, door: str) -> str:
    said = customer.updated(door)
    if door == "copier":
        customer.commit()
    return said


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_the_customer_has_at_the_reports_folder(
    vendor: Vendor, copy: Copy, door: str, kind: str
) -> None:
    customer = copy()
    if kind == "link":
        customer.write({"handbook/a.md": "a\n"})
        (customer.root / "docs").symlink_to("handbook")
    customer.commit({} if kind == "link" else {"docs": "mine\n"})
    before = customer.git("ls-tree", "HEAD", "docs")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    landed(customer, door)

    assert customer.git("ls-tree", "HEAD", "docs") == before
    assert customer.git("status", "--porcelain") == ""
    assert "# Update from" in customer.read("platform-update-v1.0.0-to-v1.1.0.md")


def test_a_version_that_both_sides_raised_is_named(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"shared/tool.toml": "version = '1.0'\n"})
    customer = copy(tag="v1.1.0")
    customer.commit({"shared/tool.toml": "version = '1.2'\n"})
    vendor.release("v1.2.0", {"shared/tool.toml": "version = '1.10'\n"})

    said = landed(customer, door)

    assert customer.read("shared/tool.toml") == "version = '1.10'\n"
    named = "`shared/tool.toml` (version: 1.10 (framework), not 1.2 (yours))"
    assert named in said
    assert named in customer.read("docs/updates/v1.1.0-to-v1.2.0.md")


def test_files_that_git_was_told_not_to_look_at(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.git("update-index", "--assume-unchanged", "shared/logging.py")
    customer.write({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    result = customer.update(door)

    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == EDITED
    assert "You edited these files while the update ran" in result.output


def test_a_filter_that_came_after_the_files(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.write({"book.ipynb": "cell\nOUTPUT\n", "shared/logging.py": MINE})
    os.utime(customer.root / "book.ipynb", (1, 1))  # so that git does not look into it again
    customer.commit()
    customer.git("config", "filter.strip.clean", "grep -v OUTPUT")
    customer.git("config", "filter.strip.smudge", "cat")
    (customer.root / ".gitattributes").write_text("*.ipynb filter=strip\n")
    customer.git("add", ".gitattributes")
    customer.git("commit", "--quiet", "--message", "Strip from now on")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert customer.update("platform").code == 3
    assert customer.platform("resolve", "--use", "yours").code == 0
    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert customer.git("show", "HEAD:book.ipynb") == "cell\nOUTPUT\n"


def test_a_filter_that_needs_a_key(vendor: Vendor, copy: Copy, door: str, tmp_path: Path) -> None:
    customer = copy()
    program = tmp_path / "filter"
    program.write_text(FILTER)
    program.chmod(0o755)
    (customer.root / ".git/key").touch()
    for name, value in (("smudge", program), ("clean", program), ("required", "true")):
        customer.git("config", f"filter.crypt.{name}", value)
    customer.commit({".gitattributes": "secrets/** filter=crypt\n"})
    customer.commit({"secrets/pw": "hunter\n", "shared/logging.py": MINE})
    stored = customer.git("rev-parse", "HEAD:secrets/pw")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert customer.update(door).code != 0
    assert customer.platform("resolve", "--use", "yours").code == 0
    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert customer.read("secrets/pw") == "hunter\n"
    assert customer.git("rev-parse", "HEAD:secrets/pw") == stored


@pytest.mark.parametrize("folder", [b"shared/", b""])
def test_a_name_that_is_not_utf8(vendor: Vendor, copy: Copy, door: str, folder: bytes) -> None:
    customer = copy()
    name = os.fsdecode(folder + b"\xff\xfe.py")
    customer.commit({name: "mine\n", "shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    landed(customer, door)

    assert customer.read(name) == "mine\n"
    assert customer.git("status", "--porcelain") == ""


def test_permissions_that_git_does_not_know(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    (customer.root / "shared/logging.py").chmod(0o640)
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    landed(customer, door)

    assert (customer.root / "shared/logging.py").stat().st_mode & 0o777 == 0o640


def test_markers_that_were_added_to_git_are_still_a_conflict(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": MINE})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    assert customer.update(door).code != 0
    inside = customer.root / (".platform-update/project" if door == "platform" else "")
    Customer(inside).git("add", "--all")

    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 3
    assert "shared/logging.py" in result.output


def test_what_was_added_while_resolving_is_named(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": MINE})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    assert customer.update("platform").code == 3
    Customer(customer.root / ".platform-update/project").write({"shared/logging.py~": "junk\n"})
    assert customer.platform("resolve", "--use", "yours").code == 0

    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert "shared/logging.py~" in result.output
    assert "Conflicts that you resolved (1)\n  `shared/logging.py`" in result.output


@pytest.fixture
def interrupted(vendor: Vendor, copy: Copy) -> Customer:
    """A project in which Copier's update was killed half-way."""
    customer = copy()
    customer.commit({"shared/logging.py": EDITED, "shared/own.py": "own\n"})
    vendor.configure(
        _tasks=[{"command": "sleep 60", "when": "{{ _copier_operation == 'update' }}"}]
    )
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    process = subprocess.Popen(
        [COPIER, "update", "--trust", "--defaults"],
        cwd=customer.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: "_commit: v1.1.0" in customer.read(".copier-answers.yml"))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return customer


def test_an_interrupted_copier_is_named_before_uncommitted_changes(interrupted: Customer) -> None:
    result = interrupted.platform("update")

    assert result.code == 1
    assert "An update is unfinished" in result.output
    assert interrupted.platform("update", "--abort").code == 0
    assert interrupted.git("status", "--porcelain") == ""


def test_commits_after_an_interrupted_copier_stay(interrupted: Customer) -> None:
    interrupted.git("reset", "--hard", "--quiet")
    later = EDITED.replace("line 5\n", "line 5, later\n")
    interrupted.commit({"shared/logging.py": later})

    result = interrupted.platform("update", "--abort")

    assert result.code == 0
    assert "no file was put back" in result.output
    assert interrupted.read("shared/logging.py") == later
    assert interrupted.git("status", "--porcelain") == ""
    assert interrupted.read("shared/own.py") == "own\n"


def test_the_environment_of_a_surrounding_git(vendor: Vendor, copy: Copy) -> None:
    customer, other = copy(), copy("other")
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    before = other.snapshot()

    # As in a hook of another repository.
    result = customer.update("platform", GIT_DIR=str(other.root / ".git"))

    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == EDITED.replace("line 18\n", "line 18, new\n")
    assert other.snapshot() == before


def test_attributes_of_a_folder(vendor: Vendor, copy: Copy, door: str) -> None:
    """They outrank those of the top, in the merge and in what is written."""
    customer = copy()
    customer.commit({".gitattributes": "*.txt text eol=crlf\n"})
    customer.commit({"shared/.gitattributes": "*.txt -text\n"})
    vendor.release("v1.1.0", {"shared/notes.txt": "one\n", "shared/logging.py": FIXED})
    customer.updated(door)
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.2.0", {"shared/notes.txt": "two\n"})

    customer.updated(door)

    assert (customer.root / "shared/notes.txt").read_bytes() == b"two\n"
    if door == "platform":
        assert customer.git("status", "--porcelain") == ""


def test_a_folder_that_is_not_merged(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/.gitattributes": "logging.py -merge\n", "shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert customer.update(door).code != 0

    assert customer.read("shared/logging.py") == EDITED


def test_what_is_written_while_copier_is_at_work(vendor: Vendor, copy: Copy) -> None:
    """Ignored and new files are not touched; of edits in the template's files a copy is kept."""
    customer = copy()
    customer.commit({"shared/mine.py": "mine\n", "apps/web/index.html": "<html>mine</html>\n"})
    customer.write({"data/db": "first\n"})
    writes = {"data/db": "second", "data/new": "new", "note.txt": "new"}
    edits = {"apps/api/src/core/app.py": "an edit", "shared/mine.py": "an edit"}
    commands = [f"echo {text} >> {path}" for path, text in {**writes, **edits}.items()]
    vendor.configure(_tasks=["mkdir -p data", *commands])
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    result = customer.update("copier")

    assert result.code == 0, result.output
    assert customer.read("data/db").startswith("first\nsecond\n")
    assert customer.read("data/new").startswith("new\n")
    assert customer.read("note.txt").startswith("new\n")
    assert customer.read("shared/mine.py").startswith("mine\nan edit\n")
    assert customer.read("shared/logging.py") == FIXED
    assert "  apps/api/src/core/app.py" in result.output
    (copies,) = (customer.root / ".git").glob("platform-update-*")
    assert "an edit\n" in (copies / "apps/api/src/core/app.py").read_text()
    assert [path.name for path in copies.rglob("*") if path.is_file()] == ["app.py"]


def test_a_file_that_is_moved_before_the_update_lands(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"shared/b.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/b.py": "theirs\n"})
    assert customer.update("platform").code == 3
    customer.git("mv", "shared/logging.py", "shared/moved.py")
    assert customer.platform("resolve", "--use", "yours").code == 0

    result = customer.platform("update", "--continue", "--no-verify")

    assert "  shared/logging.py" in result.output
    assert not (customer.root / "shared/logging.py").exists()
    assert customer.read("shared/moved.py") == LOGGING
