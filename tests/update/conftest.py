"""Fixtures of updates: a vendor's small template and a customer's project."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.template import COPIER
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, QUESTIONS, TOOLS, Customer, Vendor, commit, git, run


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a template of one release, `FILES` and the engine, and a project of it."""
    folder = tmp_path_factory.mktemp("first")
    root = folder / "template"
    wanted = ("extensions", f":(glob){TOOLS}/*")
    names = git(REPOSITORY, "ls-files", "-co", "--exclude-standard", "--", *wanted)
    for name in names.splitlines():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target)
    (root / "copier.yml").write_text(yaml.safe_dump(QUESTIONS, sort_keys=False))
    git(folder, "init", "--quiet", "--initial-branch=main", root)
    Vendor(root).release("v1.0.0", FILES)
    done = run([COPIER, "copy", "--trust", "--defaults", root, folder / "acme"], folder)
    assert done.code == 0, done.output
    git(folder, "init", "--quiet", "--initial-branch=main", folder / "acme")
    commit(folder / "acme", "start")
    return folder


@pytest.fixture
def vendor(first: Path, tmp_path: Path) -> Vendor:
    """A template whose only release, v1.0.0, has `FILES` and the update engine."""
    shutil.copytree(first / "template", tmp_path / "template", symlinks=True)
    return Vendor(tmp_path / "template")


@pytest.fixture
def copy(vendor: Vendor, first: Path, tmp_path: Path) -> Callable[..., Customer]:
    """Make a customer's project of a release, committed."""

    def make(name: str = "acme", tag: str = "v1.0.0", folder: str = "") -> Customer:
        root = tmp_path / name
        if tag == "v1.0.0" and not folder:
            shutil.copytree(first / "acme", root, symlinks=True)
            answers = root / ".copier-answers.yml"
            answers.write_text(answers.read_text().replace(str(first), str(tmp_path)))
            git(root, "commit", "--quiet", "--all", "--amend", "--no-edit")
            return Customer(root)
        root.mkdir()
        git(root, "init", "--quiet", "--initial-branch=main")
        project = root / folder
        done = run(
            [COPIER, "copy", "--trust", "--defaults", "--vcs-ref", tag, vendor.root, project],
            tmp_path,
        )
        assert done.code == 0, done.output
        commit(root, "start")
        return Customer(project)

    return make


@pytest.fixture(params=["platform", "copier"])
def door(request: pytest.FixtureRequest) -> str:
    """Both ways to update."""
    return str(request.param)
