"""Repositories and files of every kind, through both doors."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.updates import ANSWERS, FILES, Customer, Vendor, git, write

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
BOTH = EDITED.replace("line 18\n", "line 18, new\n")


def test_a_git_worktree(vendor: Vendor, copy: Copy, door: str, tmp_path: Path) -> None:
    customer = copy()
    customer.git("worktree", "add", "--quiet", "-b", "other", tmp_path / "other")
    other = Customer(tmp_path / "other")
    other.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    other.updated(door)

    assert other.read("shared/logging.py") == BOTH
    assert customer.read("shared/logging.py") == LOGGING


def test_a_folder_of_a_larger_repository(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy(folder="platforms/acme")
    top = customer.root.parents[1]
    (top / "shared").mkdir()
    (top / "shared/logging.py").write_text("not the platform's\n")
    (top / "notes.rej").write_text("theirs\n")
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    customer.updated(door)

    assert customer.read("shared/logging.py") == BOTH
    assert customer.read("shared/new.py") == "new\n"
    assert (top / "shared/logging.py").read_text() == "not the platform's\n"
    assert (top / "notes.rej").read_text() == "theirs\n"
    if door == "platform":
        assert git(top, "status", "--porcelain") == "?? notes.rej\n" or not git(top, "status", "-s")


def test_a_repository_of_another_object_format(
    vendor: Vendor, copy: Copy, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git 3 makes new repositories with SHA-256; the template's may be older."""
    customer = copy()
    shutil.rmtree(customer.root / ".git")
    customer.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    if door == "copier":
        before = customer.snapshot()
        assert "GIT_DEFAULT_HASH=sha256 copier update" in customer.update(door).output
        assert customer.snapshot() == before
        monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    customer.updated(door)

    assert customer.read("shared/logging.py") == BOTH
    customer.commit()
    vendor.release("v1.2.0", {"shared/new.py": "newer\n"})
    customer.updated(door)
    assert customer.read("shared/new.py") == "newer\n"
    customer.git("fsck", "--strict")


def test_a_submodule(vendor: Vendor, copy: Copy, door: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", tmp_path / "library")
    (tmp_path / "library/lib.py").write_text("lib\n")
    git(tmp_path / "library", "add", "--all")
    git(tmp_path / "library", "commit", "--quiet", "--message", "lib")
    customer = copy()
    customer.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(tmp_path / "library", "shared/library"),
    )
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated(door)

    assert customer.read("shared/logging.py") == BOTH
    assert customer.read("shared/library/lib.py") == "lib\n"
    assert customer.git("ls-files", "--stage", "shared/library").startswith("160000")


def test_a_sparse_checkout(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.git("sparse-checkout", "set", "scripts", "shared")
    vendor.release("v1.1.0", {"apps/web/index.html": "<new>", "shared/logging.py": FIXED})

    customer.updated(door)

    assert customer.read("shared/logging.py") == FIXED
    assert not (customer.root / "apps/web").exists()
    if door == "copier":
        customer.git("add", "--sparse", "--all")
        customer.git("commit", "--quiet", "--message", "update")
    assert customer.git("show", "HEAD:apps/web/index.html") == "<new>"
    assert customer.git("status", "--porcelain") == ""


def test_a_partial_clone(vendor: Vendor, copy: Copy, door: str, tmp_path: Path) -> None:
    """What it lacks comes from its remote, as with every command of git."""
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    git(customer.root, "config", "uploadpack.allowFilter", "true")
    git(customer.root, "config", "uploadpack.allowAnySHA1InWant", "true")
    address = f"file://{customer.root}"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--sparse", address, "partial")
    partial = Customer(tmp_path / "partial")
    partial.git("sparse-checkout", "set", "scripts", "apps")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    partial.updated(door)

    if door == "copier":
        partial.git("add", "--sparse", "--all")
        partial.git("commit", "--quiet", "--message", "update")
    assert partial.git("show", "HEAD:shared/logging.py") == BOTH
    assert partial.git("status", "--porcelain") == ""


# What git-lfs does, with a folder for its server.
LFS = """#!/bin/sh
store=$(dirname "$0")
content=$(cat)
case "$content" in
  version*) if [ "$1" = smudge ] && [ -z "$GIT_LFS_SKIP_SMUDGE" ]
    then cat "$store/$(printf %s "$content" | sed -n 's/^oid //p')"
    else printf '%s\\n' "$content"; fi ;;
  *) oid=$(printf %s "$content" | sha256sum | cut -c1-64)
    printf %s "$content" > "$store/$oid"
    printf 'version 1\\noid %s\\n' "$oid" ;;
esac
"""


@pytest.mark.parametrize("installed", [True, False], ids=["git-lfs", "no git-lfs"])
def test_lfs_pointers_in_a_conflict(
    vendor: Vendor,
    copy: Copy,
    door: str,
    installed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path, {"lfs/git-lfs": LFS})
    (tmp_path / "lfs/git-lfs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'lfs'}{os.pathsep}{os.environ['PATH']}")
    customer, film = copy(), "a film" if installed else "version 1\noid 1\n"
    for name, value in {
        "clean": "git-lfs clean",
        "smudge": "git-lfs smudge",
        "required": 1,
    }.items():
        if installed:
            customer.git("config", f"filter.lfs.{name}", value)
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    customer.commit({".gitattributes": attributes, "shared/film.bin": film})
    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    vendor.release("v1.1.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})

    result = customer.update(door)

    assert "shared/logging.py" in result.output and result.code, result.output
    assert customer.platform("resolve", "--use", "framework").code == 0
    finished = customer.platform("update", "--continue", "--no-verify")
    assert finished.code == 0, finished.output
    assert "line 9, new\n" in customer.read("shared/logging.py")
    assert customer.read("shared/film.bin") == film
    assert customer.git("show", "HEAD:shared/film.bin").startswith("version 1\n")


def test_crlf_in_the_project(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.git("config", "core.autocrlf", "false")
    customer.commit({"shared/logging.py": EDITED.replace("\n", "\r\n").encode()})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated(door)

    merged = (customer.root / "shared/logging.py").read_bytes()
    assert merged == BOTH.replace("\n", "\r\n").encode()


def test_endings_that_git_converts(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({".gitattributes": "*.py text eol=crlf\n", "shared/logging.py": EDITED})
    customer.git("rm", "--quiet", "--cached", "-r", ".")
    customer.git("reset", "--quiet", "--hard")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated(door)

    merged = (customer.root / "shared/logging.py").read_bytes()
    assert merged == BOTH.replace("\n", "\r\n").encode()
    if door == "platform":
        assert customer.git("status", "--porcelain") == ""


def test_utf16_changed_by_the_customer(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED.encode("utf-16")})
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})

    customer.updated(door)

    assert (customer.root / "shared/logging.py").read_bytes() == EDITED.encode("utf-16")


def test_names_with_spaces_letters_and_signs(vendor: Vendor, copy: Copy, door: str) -> None:
    name = "shared/größe [1] *?& 'x' \"y\" 漢字.py"
    vendor.release("v1.1.0", {name: LOGGING})
    customer = copy(tag="v1.1.0")
    customer.commit({name: EDITED, "shared/mein größtes\tding.py": "mine\n"})
    vendor.release("v1.2.0", {name: FIXED})

    customer.updated(door)

    assert customer.read(name) == BOTH
    assert customer.read("shared/mein größtes\tding.py") == "mine\n"


def test_links_and_modes(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"scripts/run.sh": "run\n", "scripts/tool.sh": "tool\n"})
    customer = copy(tag="v1.1.0")
    (customer.root / "scripts/run.sh").chmod(0o755)
    (customer.root / "scripts/link").symlink_to("run.sh")
    customer.commit()
    (vendor.root / "template/scripts/tool.sh").chmod(0o755)
    (vendor.root / "template/scripts/new-link").symlink_to("tool.sh")
    vendor.release("v1.2.0", {"scripts/run.sh": "run better\n"})

    customer.updated(door)

    assert customer.read("scripts/run.sh") == "run better\n"
    assert os.access(customer.root / "scripts/run.sh", os.X_OK)
    assert os.access(customer.root / "scripts/tool.sh", os.X_OK)
    assert str((customer.root / "scripts/link").readlink()) == "run.sh"
    assert str((customer.root / "scripts/new-link").readlink()) == "tool.sh"


def test_a_folder_replaced_by_a_link(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.git("mv", "shared", "common")
    (customer.root / "shared").symlink_to("common")
    customer.commit()
    before = customer.read("common/logging.py")
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})

    result = customer.update(door)

    assert (customer.root / "shared").is_symlink(), result.output
    assert customer.read("common/logging.py") == before
    assert "shared" in result.output
    assert result.code != 0


def test_a_rename_in_case_only(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": EDITED})
    vendor.release("v1.1.0", {"shared/logging.py": None, "shared/Logging.py": FIXED})

    customer.updated(door)

    assert customer.read("shared/Logging.py") == BOTH
    assert "shared/logging.py" not in customer.files()


def test_a_detached_head(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.git("switch", "--quiet", "--detach")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated("platform")

    assert customer.read("shared/logging.py") == FIXED
    assert customer.git("rev-parse", "main") == customer.git("rev-parse", "HEAD^")


def test_a_service_switched_off_and_on(vendor: Vendor, copy: Copy, door: str) -> None:
    vendor.release("v1.1.0", {"apps/web/src/core/main.ts": "main\n"})
    customer = copy(tag="v1.1.0")
    customer.commit({"apps/web/src/pages/mine.vue": "mine\n"})

    result = customer.update(door, "--data", "web=false")
    assert result.code == 0, result.output
    assert not (customer.root / "apps/web/index.html").exists()
    assert customer.read("apps/web/src/pages/mine.vue") == "mine\n"
    customer.commit()

    result = customer.update(door, "--data", "web=true")
    assert result.code == 0, result.output
    assert customer.read("apps/web/src/core/main.ts") == "main\n"
    assert customer.read("apps/web/src/pages/mine.vue") == "mine\n"


def test_another_answers_file(vendor: Vendor, copy: Copy, door: str, tmp_path: Path) -> None:
    customer = copy()
    customer.git("mv", ".copier-answers.yml", "answers.yml")
    customer.commit()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    customer.updated(door, *(("--answers-file", "answers.yml") if door == "copier" else ()))

    assert "_commit: v1.1.0" in customer.read("answers.yml")
    assert customer.read("shared/logging.py") == FIXED
    assert not (customer.root / ".copier-answers.yml").exists()
    customer.commit()
    shutil.copytree(vendor.root, tmp_path / "moved")
    moved = customer.platform("update", "--source", tmp_path / "moved")
    assert moved.code == 0, moved.output
    assert str(tmp_path / "moved") in customer.read("answers.yml")


def test_an_example_deleted_once_does_not_come_back(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    customer.commit({"apps/api/src/routes/hello.py": None})
    vendor.release("v1.1.0", {"apps/api/src/routes/hello.py": None})
    customer.updated(door)
    customer.commit()
    vendor.release("v1.2.0", {"apps/api/src/routes/hello.py": "hello again\n"})

    assert "hello.py" in customer.updated(door)

    assert not (customer.root / "apps/api/src/routes/hello.py").exists()


def test_an_example_that_the_customer_deleted_and_the_release_changed_is_named(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({"apps/api/src/routes/hello.py": None})
    vendor.release("v1.1.0", {"apps/api/src/routes/hello.py": "hello = 2\n"})

    said = customer.updated(door)

    assert "still deleted (1)\n  `apps/api/src/routes/hello.py`" in said
    assert not (customer.root / "apps/api/src/routes/hello.py").exists()


def test_a_renamed_question_keeps_its_answer(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    assert customer.update(door, "--data", 'customer=Größe "& Söhne"').code == 0
    customer.commit()
    config = (vendor.root / "copier.yml").read_text()
    (vendor.root / "copier.yml").write_text(config.replace("customer:", "company:"))
    (vendor.root / "releases.toml").write_text(
        '[[release]]\nversion = "1.1.0"\nnotes = "Company"\n'
        'questions.renamed = { customer = "company" }\n'
    )
    toml = (vendor.root / "template/platform.toml.jinja").read_text()
    vendor.release("v1.1.0", {"platform.toml.jinja": toml.replace("customer", "company")})

    said = customer.updated(door)

    assert 'company: Größe "& Söhne"' in customer.read(".copier-answers.yml")
    assert "Renamed questions (1)\n  customer → company" in said
    assert "New questions" not in said and "Removed questions" not in said


def test_edits_that_the_customers_editor_makes_meanwhile_stay(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"shared/new.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/new.py": "theirs\n", "shared/logging.py": FIXED})
    assert customer.update("platform").code == 3
    customer.write({"shared/logging.py": "in the editor\n"})
    assert customer.platform("resolve", "--use", "framework").code == 0

    result = customer.platform("update", "--continue")

    assert result.code == 0, result.output
    assert "shared/logging.py" in result.output
    assert customer.read("shared/logging.py") == "in the editor\n"
    assert customer.git("show", "HEAD:shared/logging.py") == FIXED


def test_an_unedited_project_equals_a_fresh_copy(
    vendor: Vendor, copy: Copy, door: str, tmp_path: Path
) -> None:
    customer = copy()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "apps/api/src/pages.py": "x\n"})
    customer.updated(door)
    fresh = copy("fresh", "v1.1.0")

    ours = {name: value for name, value in customer.files().items() if "docs/updates/" not in name}
    assert ours == fresh.files()
    assert ANSWERS not in ours
    subprocess.run(["git", "fsck", "--strict"], cwd=customer.root, check=True)


def test_a_long_name_in_another_script(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    name = f"shared/{'é' * 120}.md"
    vendor.release("v1.1.0", {name: "new\n"})

    customer.updated(door)

    assert customer.read(name) == "new\n"
