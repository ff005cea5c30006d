"""The merge driver in the customer's own git."""

import sys
from pathlib import Path

import pytest
from plumbum import local

from extensions.update.landing import kept

TOOLS = Path(__file__).parents[3] / "template/scripts/customer-tools"
DRIVER = f"{sys.executable} -m platform_tools.cli merge-driver %O %A %B %P"


@pytest.fixture
def git(tmp_path):
    with local.cwd(tmp_path), local.env(PYTHONPATH=str(TOOLS)):
        run = local["git"]["-c", "user.name=a", "-c", "user.email=a@b.c"]
        run("init", "-q", "-b", "main")
        kept.copy(tmp_path / ".git/platform-engine", "v1")
        (tmp_path / ".copier-answers.yml").touch()
        run("config", "merge.platform.driver", DRIVER)
        (tmp_path / ".gitattributes").write_text("* merge=platform\n")
        yield run


def commit(git, files, branch=None):
    if branch:
        git("checkout", "-q", "-b", branch, "main")
    for name, content in files.items():
        local.cwd.join(name).write(content)
    git("add", "-A")
    git("commit", "-q", "-m", "change")
    git("checkout", "-q", "main")


def test_a_merge_that_lines_cannot_do(git, tmp_path):
    commit(git, {"a b.yml": "a: 1\n"})
    commit(git, {"a b.yml": "a: 1\ntheirs: 2\n"}, "other")
    commit(git, {"a b.yml": "a: 1\nours: 2\n"})
    git("merge", "-q", "other")
    assert (tmp_path / "a b.yml").read_text() == "a: 1\nours: 2\ntheirs: 2\n"


def test_a_rebase_too(git, tmp_path):
    commit(git, {"a.toml": "a = 1\n"})
    commit(git, {"a.toml": "a = 1\ntheirs = 2\n"}, "other")
    commit(git, {"a.toml": "a = 1\nours = 2\n"})
    git("rebase", "-q", "other")
    assert (tmp_path / "a.toml").read_text() == "a = 1\ntheirs = 2\nours = 2\n"


@pytest.mark.parametrize("name", ["a.yml", "a.txt"])
def test_a_conflict_fails_the_merge_and_is_marked(git, tmp_path, name):
    commit(git, {name: "a: 1\n"})
    commit(git, {name: "a: 3\n"}, "other")
    commit(git, {name: "a: 2\n"})
    assert git["merge", "-q", "other"].run(retcode=None)[0] == 1
    marked = "<<<<<<< ours\na: 2\n||||||| base\na: 1\n=======\na: 3\n>>>>>>> theirs\n"
    assert (tmp_path / name).read_text() == marked


def test_other_files_merge_by_lines(git, tmp_path):
    commit(git, {"a.txt": "1\n2\n3\n4\n"})
    commit(git, {"a.txt": "1\n2\n3\nfour\n"}, "other")
    commit(git, {"a.txt": "one\n2\n3\n4\n"})
    git("merge", "-q", "other")
    assert (tmp_path / "a.txt").read_text() == "one\n2\n3\nfour\n"


def test_a_binary_conflict_keeps_ours(git, tmp_path):
    commit(git, {"a.bin": b"\0a"})
    commit(git, {"a.bin": b"\0b"}, "other")
    commit(git, {"a.bin": b"\0c"})
    assert git["merge", "-q", "other"].run(retcode=None)[0] == 1
    assert (tmp_path / "a.bin").read_bytes() == b"\0c"


def test_a_version_that_both_sides_raised_is_named(git, tmp_path):
    commit(git, {"a.toml": "version = '1.0'\n"})
    commit(git, {"a.toml": "version = '1.2'\n"}, "other")
    commit(git, {"a.toml": "version = '1.10'\n"})
    _, out, error = git["merge", "-q", "other"].run()
    assert (tmp_path / "a.toml").read_text() == "version = '1.10'\n"
    assert "a.toml: version: 1.10 (ours), not 1.2 (theirs)" in out + error
