"""What would stop an update half-way, or is unknown, is found before it begins."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.updates import FILES, Customer, Vendor, git

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
EXAMPLE = "apps/api/src/routes/gone.py"


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """A folder that nobody can write, root included."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "mount", "--bind", path, path], check=True)
    try:
        subprocess.run([*as_root, "mount", "-o", "remount,bind,ro", path], check=True)
        yield
    finally:
        subprocess.run([*as_root, "umount", "--lazy", path], check=True)


@pytest.mark.parametrize("folder", ["shared", "docs/updates"])
def test_a_folder_that_cannot_be_written(
    vendor: Vendor, copy: Copy, door: str, folder: str
) -> None:
    customer = copy()
    customer.commit({"docs/updates/earlier.md": "earlier\n"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "apps/api/src/core/app.py": "app = 0\n"})
    before = customer.snapshot()

    with read_only(customer.root / folder):
        result = customer.update(door)

    assert result.code == 1 and "may not:\n" in result.output, result.output
    assert str(customer.root / folder) in result.output
    assert customer.snapshot() == before
    assert customer.updated(door)


def test_names_that_copier_would_not_understand(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"notes/Überblick.md": "mine\n"})
    customer.git("config", "core.quotePath", "false")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    before = customer.snapshot()

    refused = customer.update("copier")

    assert refused.code and "GIT_CONFIG_VALUE_0=true copier update --trust" in refused.output
    assert "Traceback" not in refused.output
    assert customer.snapshot() == before
    as_told = {"COUNT": "1", "KEY_0": "core.quotePath", "VALUE_0": "true"}
    result = customer.update("copier", **{f"GIT_CONFIG_{key}": v for key, v in as_told.items()})
    assert result.code == 0, result.output
    assert customer.read("shared/logging.py") == FIXED


def test_the_other_door_takes_such_names(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"notes/Überblick.md": "mine\n"})
    customer.git("config", "core.quotePath", "false")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated("platform")

    assert customer.read("notes/Überblick.md") == "mine\n"


def test_a_clone_without_the_history_that_would_tell(
    vendor: Vendor, copy: Copy, door: str, tmp_path: Path
) -> None:
    customer = copy()
    customer.commit({EXAMPLE: "mine\n"})
    customer.commit({EXAMPLE: None})
    vendor.release("v1.1.0", {EXAMPLE: "example = 1\n", "shared/logging.py": FIXED})
    git(tmp_path, "clone", "--quiet", "--depth", "1", customer.root.as_uri(), "shallow")
    shallow = Customer(tmp_path / "shallow")

    said = shallow.updated(door)

    assert not (shallow.root / EXAMPLE).exists()
    assert shallow.read("shared/logging.py") == FIXED
    assert EXAMPLE in said or EXAMPLE in shallow.read("docs/updates/v1.0.0-to-v1.1.0.md")
    assert "git fetch --unshallow" in shallow.read("docs/updates/v1.0.0-to-v1.1.0.md")


@pytest.mark.parametrize("delivered_before", [True, False])
def test_programs_where_git_does_not_read_modes(
    vendor: Vendor, copy: Copy, door: str, delivered_before: bool
) -> None:
    path = "scripts/run.sh"
    if delivered_before:
        vendor.release("v1.0.1", {path: "#!/bin/sh\n"})
    customer = copy(tag="v1.0.1" if delivered_before else "v1.0.0")
    customer.git("config", "core.fileMode", "false")
    vendor.release("v1.1.0", {path: "#!/bin/sh\necho new\n"})
    program = vendor.root / "template" / path
    program.chmod(0o755)
    git(vendor.root, "add", "--all")
    git(vendor.root, "commit", "--quiet", "--amend", "--message", "v1.1.0")
    git(vendor.root, "tag", "--force", "v1.1.0")

    customer.updated(door)
    if door == "copier":
        customer.commit()

    assert customer.git("ls-files", "--stage", path).startswith("100755")
    assert (customer.root / path).stat().st_mode & 0o111


def test_an_edit_follows_a_rename_out_of_the_customers_files(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    old, new = "apps/api/src/routes/hello.py", "apps/api/src/core/hello.py"
    lines = [f"hello = {n}\n" for n in range(20)]
    vendor.release("v1.0.1", {old: "".join(lines)})
    customer = copy(tag="v1.0.1")
    customer.commit({old: "".join(["# mine\n", *lines])})
    vendor.release("v1.1.0", {old: None, new: "".join([*lines, "# new\n"])})
    (vendor.root / "releases.toml").write_text(
        f'[[release]]\nversion = "1.1.0"\nnotes = "Moved"\nrenamed = {{ "{old}" = "{new}" }}\n'
    )
    vendor.release("v1.1.1")

    said = customer.updated(door)

    assert customer.read(new) == "".join(["# mine\n", *lines, "# new\n"])
    assert not (customer.root / old).exists()
    assert f"`{new}` (from {old})" in said


@pytest.mark.parametrize("folder", ["", "platforms/acme"])
def test_the_index_while_copier_asks(vendor: Vendor, copy: Copy, folder: str) -> None:
    loader = "copier_template_extensions.TemplateExtensionLoader"
    customer = copy(folder=folder)
    customer.commit({"notes/mine.md": "mine\n", "apps/api/src/routes/own.py": "own = 1\n"})
    vendor.configure(
        region={"type": "str"}, _jinja_extensions=[loader, "extensions/index.py:Index"]
    )
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    before = customer.snapshot()

    # Without a terminal, Copier ends at its first question.
    assert customer.copier("update", "--trust").code

    assert customer.snapshot() == before
    assert customer.git("status", "--porcelain") == ""
    assert customer.update("copier", "--data", "region=x").code != 0
    assert customer.platform("update", "--abort").code == 0
    customer.updated("copier", "--data", "region=x")
    assert customer.read("shared/logging.py") == FIXED
    assert customer.read("notes/mine.md") == "mine\n"


def test_own_files_that_a_commit_removed_while_copier_asked(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"notes/mine.md": "mine\n", "apps/api/src/routes/own.py": "own = 1\n"})
    vendor.configure(region={"type": "str"})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    # Without a terminal, Copier ends at its first question.
    assert customer.copier("update", "--trust").code
    customer.git("commit", "--quiet", "--all", "--message", "meanwhile")

    result = customer.platform("update", "--abort")

    assert "staged again" in result.output and "notes/mine.md" in result.output
    customer.git("commit", "--quiet", "--message", "mine again")
    assert customer.git("ls-files", "notes", "apps/api/src/routes/own.py").split() == [
        "apps/api/src/routes/own.py",
        "notes/mine.md",
    ]
    assert customer.git("status", "--porcelain") == ""
