"""Two projects in one repository: the unfinished update of one is none of the other's business."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.template import COPIER
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, PLATFORM, TOOLS, Customer, Vendor, commit, git, run

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
OLD = "ecd93e91bff784c2548efb34909c677bc7f3cccd"
NEW = LOGGING.replace("line 9\n", "line 9, new\n")
SIDE_BY_SIDE, NESTED = ("one", "two"), ("teams/größe 1", "teams/größe 1/two")
DOORS = [("platform", "platform"), ("platform", "copier"), ("copier", "platform")]
ALL = [*((SIDE_BY_SIDE, one) for one in [*DOORS, ("copier", "copier")])]


def edited(name: str) -> str:
    return LOGGING.replace("line 9\n", f"line 9, of {name}\n")


Projects = Callable[[tuple[str, str]], tuple[Customer, Customer]]


@pytest.fixture
def projects(vendor: Vendor, copy: Copy, tmp_path: Path) -> Projects:
    """Makes two projects in one repository, both with a conflict to come."""

    def make(folders: tuple[str, str]) -> tuple[Customer, Customer]:
        one = copy("larger", folder=folders[0])
        two = Customer(tmp_path / "larger" / folders[1])
        done = run([COPIER, "copy", "--trust", "--defaults", vendor.root, two.root], tmp_path)
        assert done.code == 0, done.output
        one.write({"shared/logging.py": edited("one")})
        two.write({"shared/logging.py": edited("two")})
        commit(tmp_path / "larger")
        vendor.release("v1.1.0", {"shared/logging.py": NEW, "shared/new.py": "new\n"})
        return one, two

    return make


def own(customer: Customer) -> dict[str, bytes]:
    """The project's files, without those of a project in one of its folders."""
    return {name: one for name, one in customer.files().items() if not name.startswith("two/")}


@pytest.mark.parametrize(("folders", "doors"), [*ALL, (NESTED, ("copier", "copier"))])
def test_giving_up_in_one(
    projects: Projects, folders: tuple[str, str], doors: tuple[str, str]
) -> None:
    one, two = projects(folders)
    before = own(one)
    assert one.update(doors[0]).code != 0
    assert two.update(doors[1]).code != 0
    of_two = two.snapshot()

    preview = one.platform("update", "--preview")
    assert preview.code == 0 and "two" not in preview.output, preview.output
    assert one.platform("update", "--abort").code == 0

    assert own(one) == before
    assert one.git("status", "--porcelain", "--", "shared") == ""
    assert two.snapshot() == of_two
    assert two.platform("resolve", "--use", "yours").code == 0
    finished = two.platform("update", "--continue", "--no-verify")
    assert finished.code == 0, finished.output
    assert two.read("shared/logging.py") == edited("two")
    assert two.read("shared/new.py") == "new\n"


@pytest.mark.parametrize("doors", DOORS)
def test_finishing_one_and_then_the_other(projects: Projects, doors: tuple[str, str]) -> None:
    one, two = projects(SIDE_BY_SIDE)
    assert one.update(doors[0]).code != 0
    assert two.update(doors[1]).code != 0

    for customer, other in ((two, one), (one, two)):
        unfinished = customer.platform("update", "--continue", "--no-verify")
        assert unfinished.code == 3, unfinished.output
        before = own(other)
        assert customer.platform("resolve", "--use", "framework").code == 0
        finished = customer.platform("update", "--continue", "--no-verify")
        assert finished.code == 0, finished.output
        assert own(other) == before
        assert customer.read("shared/logging.py") == NEW


def test_giving_up_in_one_after_a_commit_in_the_other(projects: Projects) -> None:
    one, two = projects(SIDE_BY_SIDE)
    before = own(one)
    assert one.update("copier").code != 0
    assert two.update("platform", "--data", "customer=Two").code == 3
    assert two.platform("resolve", "--use", "framework").code == 0
    assert two.platform("update", "--continue", "--no-verify").code == 0
    assert "An update is unfinished" in one.update("platform").output

    assert one.platform("update", "--abort").code == 0

    assert own(one) == before
    assert one.git("status", "--porcelain") == ""
    assert two.read("shared/logging.py") == NEW


def test_an_unfinished_update_that_0_3_0_began(projects: Projects) -> None:
    """Its starter puts the update where that of a whole repository is, without the project."""
    one, two = projects(SIDE_BY_SIDE)
    top, starter = Customer(one.root.parent), TOOLS.relative_to("template") / "update.py"
    new = one.read(str(starter))
    released = git(REPOSITORY, "show", f"{OLD}:{TOOLS}/update.py")
    one.commit({str(starter): released})
    before = own(one)
    assert one.update("platform").code == 3
    state = top.root / ".git/platform-update/state.json"
    stored = json.loads(state.read_text())
    del stored["prefix"]
    state.write_text(json.dumps(stored))

    assert one.platform("resolve", "--use", "framework").code == 0
    one.write({str(starter): new})
    assert two.platform("update", "--abort").code == 2
    assert two.update("platform").code == 3
    assert two.platform("update", "--abort").code == 0
    tools = str(two.root / "scripts/customer-tools")
    top.write({".copier-answers.yml": two.read(".copier-answers.yml")})
    command = [sys.executable, "-P", "-c", PLATFORM, "update", "--abort"]
    refused = run(command, top.root, PYTHONPATH=tools)
    assert f"is that of the project in {one.root}" in refused.output, refused.output
    assert state.exists()
    one.write({str(starter): released})
    assert one.platform("update", "--abort").code == 0
    assert own(one) == before
    assert not state.exists()
