"""When an update does not begin: the reason, the next step, and nothing touched."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.updates import FILES, PLATFORM, Customer, Vendor, git

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])


def refused(customer: Customer, *arguments: str, because: str) -> None:
    before = customer.snapshot()
    result = customer.platform("update", "--no-verify", *arguments)
    assert result.code in (1, 2), result.output
    assert because in result.output
    assert "Traceback" not in result.output
    assert customer.snapshot() == before


@pytest.fixture
def customer(vendor: Vendor, copy: Copy) -> Customer:
    """A project with an update to come."""
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    return copy()


def test_uncommitted_changes(customer: Customer) -> None:
    customer.write({"shared/logging.py": "mine\n"})
    refused(customer, because="uncommitted changes")


def test_an_unfinished_merge(customer: Customer) -> None:
    customer.git("switch", "--quiet", "--create", "other")
    customer.commit({"shared/a.py": "a\n"})
    customer.git("switch", "--quiet", "main")
    customer.commit({"shared/b.py": "b\n"})
    customer.git("merge", "--quiet", "--no-commit", "--no-ff", "other")
    refused(customer, because="merge is unfinished")


def test_a_damaged_repository(customer: Customer) -> None:
    (customer.root / ".git/index").write_bytes(b"damaged")

    result = customer.platform("update", "--no-verify")

    assert result.code == 1
    assert "git" in result.output and "Traceback" not in result.output
    assert not (customer.root / ".git/platform-update").exists()


def test_a_repository_of_another_owner(customer: Customer) -> None:
    result = customer.platform("update", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert result.code == 1, result.output
    assert "dubious ownership" in result.output and "safe.directory" in result.output
    assert "git init" not in result.output


@pytest.mark.parametrize("stored", ["", "[]", '{"door": "platform"}'])
def test_a_damaged_state(customer: Customer, stored: str) -> None:
    folder = customer.root / ".git/platform-update"
    (folder / "backup/files").mkdir(parents=True)
    (folder / "state.json").write_text(stored)
    refused(customer, "--continue", because=f"{folder}/backup/files")
    folder.rename(customer.root.parent / "elsewhere")
    assert customer.update("platform").code == 0


def test_an_older_version(vendor: Vendor, customer: Customer) -> None:
    assert customer.update("platform").code == 0
    refused(customer, "--to", "v1.0.0", because="only go forward")


def test_an_unknown_version(customer: Customer) -> None:
    refused(customer, "--to", "v9", because="no version v9")


def test_a_missing_answers_file(customer: Customer) -> None:
    customer.commit({".copier-answers.yml": None})
    refused(customer, because="git checkout COMMIT -- .copier-answers.yml")


@pytest.mark.parametrize(
    ("contents", "because"),
    [
        ("- a\n- b\n", "has no _src_path"),
        (": : :", "has no _src_path"),
        ("_src_path: TEMPLATE\n", "has no _commit"),
        ("- a\n_src_path: TEMPLATE\n", "is not a YAML mapping"),
    ],
)
def test_a_broken_answers_file(
    vendor: Vendor, customer: Customer, contents: str, because: str
) -> None:
    customer.commit({".copier-answers.yml": contents.replace("TEMPLATE", str(vendor.root))})
    refused(customer, because=because)


def test_an_unknown_base(customer: Customer) -> None:
    answers = customer.read(".copier-answers.yml")
    customer.commit({".copier-answers.yml": answers.replace("v1.0.0", "v0.0.7")})
    refused(customer, because="does not know v0.0.7")


def test_a_template_out_of_reach(customer: Customer) -> None:
    answers = customer.read(".copier-answers.yml")
    customer.commit({".copier-answers.yml": answers.replace("/template", "/nowhere")})
    refused(customer, because="--from")


@pytest.mark.parametrize("contents", ["v1.0.0..v1.1.0", ""], ids=["incremental", "junk"])
def test_a_bundle_that_is_no_whole_one(
    vendor: Vendor, customer: Customer, tmp_path: Path, contents: str
) -> None:
    bundle = tmp_path / "release.bundle"
    if contents:
        git(vendor.root, "bundle", "create", "--quiet", bundle, contents, "v1.1.0")
    else:
        bundle.write_text("junk")
    refused(customer, "--from", str(bundle), because="is an incomplete bundle, or none")


def test_a_question_without_an_answer(vendor: Vendor, customer: Customer) -> None:
    vendor.configure(region={"type": "str"})
    vendor.release("v1.2.0")
    refused(customer, because="--data")


def test_an_unfinished_update(vendor: Vendor, customer: Customer) -> None:
    customer.commit({"shared/new.py": "mine\n"})
    assert customer.update("platform").code == 3
    refused(customer, because="--continue")
    assert customer.update("copier").code != 0
    assert customer.platform("update", "--abort").code == 0
    assert customer.update("platform").code == 3


def test_a_branch_that_moved_meanwhile(customer: Customer) -> None:
    customer.commit({"shared/new.py": "mine\n"})
    assert customer.update("platform").code == 3
    customer.commit({"shared/more.py": "more\n"})
    assert customer.platform("resolve", "--use", "yours").code == 0
    result = customer.platform("update", "--continue")
    assert result.code == 1
    assert "new commits since the update began" in result.output


def test_nothing_unfinished(customer: Customer) -> None:
    assert customer.platform("update", "--abort").code == 2
    assert customer.platform("update", "--continue").code == 2


def test_an_update_at_the_same_time(customer: Customer) -> None:
    state = customer.root / ".git/platform-update"
    state.mkdir()
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(customer, because="Another update of this project is running")


def test_a_second_update_does_nothing(customer: Customer, door: str) -> None:
    assert customer.update(door).code == 0
    customer.git("add", "--all")
    if door == "copier":
        customer.git("commit", "--quiet", "--message", "update")
    before = customer.snapshot()
    assert customer.update(door).code == 0
    assert customer.snapshot() == before


def test_a_preview_changes_nothing_and_agrees_with_the_update(customer: Customer) -> None:
    import json

    customer.commit({"shared/logging.py": None, "shared/mine.py": LOGGING})
    before = customer.snapshot()
    refs = customer.git("for-each-ref")

    preview = customer.platform("update", "--preview", "--json")

    assert preview.code == 0, preview.output
    assert customer.snapshot() == before
    assert customer.git("for-each-ref") == refs
    assert customer.update("platform").code == 0
    changed = set(customer.git("diff", "--name-only", "HEAD^", "HEAD").splitlines())
    planned = {one["path"] for one in json.loads(preview.output)["files"]}
    assert planned == {path for path in changed if not path.startswith("docs/updates/")}


def test_a_preview_leaves_out_what_is_not_committed(customer: Customer) -> None:
    committed = customer.platform("update", "--preview")
    customer.write({"shared/logging.py": "mine\n"})
    before = customer.snapshot()

    preview = customer.platform("update", "--preview")

    assert preview.code == 0, preview.output
    assert committed.output in preview.output
    assert "Commit them before" in preview.output
    assert customer.snapshot() == before


def test_a_bundle_and_a_moved_template(vendor: Vendor, customer: Customer, tmp_path: Path) -> None:
    bundle = tmp_path / "release.bundle"
    git(vendor.root, "bundle", "create", "--quiet", bundle, "--all")
    vendor.root.rename(tmp_path / "moved")

    result = customer.platform("update", "--no-verify", "--from", bundle)

    assert result.code == 0, result.output
    assert customer.read("shared/new.py") == "new\n"
    assert customer.platform("update", "--source", tmp_path / "moved").code == 0
    assert str(tmp_path / "moved") in customer.read(".copier-answers.yml")
    assert customer.update("platform").code == 0


@pytest.mark.parametrize(
    "settings",
    ["[user]\nuseConfigOnly = true\n", "[commit]\ngpgSign = true\n[gpg]\nprogram = false\n"],
    ids=["without a name", "without a key"],
)
def test_following_the_template_there_and_back(
    vendor: Vendor, customer: Customer, tmp_path: Path, settings: str
) -> None:
    (tmp_path / "config").write_text(settings)
    before = customer.read(".copier-answers.yml")
    moved = tmp_path / ("a name so long that YAML folds it " * 5).strip()
    shutil.copytree(vendor.root, moved)

    for address in (moved, moved, vendor.root):
        config = str(tmp_path / "config")
        result = customer.platform("update", "--source", address, GIT_CONFIG_GLOBAL=config)
        assert result.code == 0, result.output
        assert customer.git("status", "--porcelain") == ""
        assert yaml.safe_load(customer.read(".copier-answers.yml"))["_src_path"] == str(address)

    assert customer.read(".copier-answers.yml") == before
    assert len(customer.git("log", "--format=%H").split()) == 3


def test_a_git_that_wants_bare_repositories_named(customer: Customer, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[user]\nname = A\nemail = a@b\n[safe]\nbareRepository = explicit\n")
    result = customer.update("platform", GIT_CONFIG_GLOBAL=str(config))
    assert result.code == 0, result.output


@pytest.mark.parametrize(
    ("option", "unread"), [("--preview", "stdout"), ("--no-verify", "stderr")], ids=str
)
def test_output_that_nobody_reads(customer: Customer, option: str, unread: str) -> None:
    end, pipe = os.pipe()
    os.close(end)
    command = [sys.executable, "-P", "-c", PLATFORM, "update", option]
    tools = str(customer.root / "scripts/customer-tools")
    streams: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, unread: pipe}
    environment = os.environ | {"PYTHONPATH": tools}

    done = subprocess.run(command, cwd=customer.root, env=environment, check=False, **streams)

    os.close(pipe)
    assert (done.returncode, done.stderr or b"") == (0, b"")
    assert customer.git("status", "--porcelain") == ""
    assert (customer.root / "shared/new.py").exists() == (option == "--no-verify")


@pytest.mark.parametrize("option", ["--continue", "--abort", "--source=elsewhere"])
def test_options_that_do_not_go_together(customer: Customer, option: str) -> None:
    refused(customer, option, "--to", "v1.1.0", because="--to does not go with")
    refused(customer, option, "--preview", because="only one of")


def test_a_question_that_there_is_not(customer: Customer) -> None:
    refused(customer, "--data", "custmer=Foo", because="Questions: customer, web")


def test_an_answer_that_is_accepted_no_longer(customer: Customer, vendor: Vendor) -> None:
    """The report says what it was."""
    vendor.configure(web={"type": "str", "default": "yes", "choices": ["yes", "no"]})
    vendor.release("v1.2.0")

    preview = customer.platform("update", "--preview")

    assert "web: True → 'yes'" in preview.output
