"""What runs before an update lands, and may fail: `platform verify`, rebuilding lock files."""

import re
import sys
from collections.abc import Callable

import pytest

from tests.support.ports import free_ports
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, Customer, Vendor, run

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
EDITED = LOGGING.replace("line 2\n", "line 2, mine\n")
BROKEN = LOGGING.replace("line 18\n", "line 18, broken\n")
SETUP = "scripts/customer-tools/setup.py"
# A `platform verify` that looks for one word.
VERIFY = """
from pathlib import Path
platform = Path(".venv/bin/platform")
platform.parent.mkdir(parents=True, exist_ok=True)
platform.write_text('#!/bin/sh\\n! grep -n broken shared/logging.py\\n')
platform.chmod(0o755)
Path("uv.lock").touch()
"""


@pytest.fixture
def broken(vendor: Vendor, copy: Copy) -> Customer:
    """A project with an update to come that does not fit its edit: a check fails."""
    ignored = str(FILES[".gitignore.jinja"]) + "/.venv/\n"
    vendor.release("v1.1.0", {SETUP: VERIFY, ".gitignore.jinja": ignored})
    customer = copy(tag="v1.1.0")
    customer.commit({"shared/logging.py": EDITED})
    customer.write({".env": "KEY=secret\n"})
    vendor.release("v1.2.0", {"shared/logging.py": BROKEN, "shared/new.py": "new\n"})
    return customer


def test_a_failing_check_is_shown_and_can_be_taken_back(broken: Customer) -> None:
    before = broken.snapshot()

    result = broken.platform("update")

    assert result.code == 1
    assert "18:line 18, broken" in result.output
    assert "platform verify fails in the new version" in result.output
    assert broken.snapshot() == before
    assert broken.platform("update", "--continue").code == 1
    assert broken.snapshot() == before
    assert broken.platform("update", "--abort").code == 0
    assert broken.snapshot() == before


# A `platform verify` that fails as two files of the project say.
FAILING = VERIFY.replace(
    "! grep -n broken shared/logging.py", "cat failing more; ! test -s failing"
)
OLD = "FAILED a.py::test_old[a b] - KeyError: 'x'\n"


@pytest.mark.parametrize("known", [True, False], ids=["set up", "not set up"])
def test_a_failure_of_before_is_said_to_be_one(vendor: Vendor, copy: Copy, known: bool) -> None:
    ignored = str(FILES[".gitignore.jinja"]) + "/.venv/\n"
    vendor.release("v1.1.0", {SETUP: FAILING, ".gitignore.jinja": ignored, "failing": ""})
    customer = copy(tag="v1.1.0")
    customer.commit({"failing": OLD + "Failed: python lint, python tests\n"})
    if known:
        assert run([sys.executable, SETUP], customer.root).code == 0
    more = "FAILED b.py::test_new\nFailed: web test, python lint, python tests\n"
    vendor.release("v1.2.0", {"more": more})

    result = customer.platform("update")

    assert result.code == 1, result.output
    if not known:
        assert "run `make verify` in your project" in result.output
        return
    before, new = result.output.split("Did not fail before the update:\n")
    assert "Failed before the update as well:\n  python lint\n  a.py::test_old[a b]\n" in before
    assert new.startswith("  web test\n  b.py::test_new\n")
    # Asked once for an update.
    customer.write({".venv/bin/platform": "#!/bin/sh\nexit 0\n"})
    assert "  a.py::test_old[a b]\n" in customer.platform("update", "--continue").output


# Somebody works on in the project while the new version is checked.
COMMITS = """
import subprocess
from pathlib import Path
root = Path.cwd().parents[1]
(root / "shared/logging.py").write_text("committed meanwhile\\n")
(root / "shared/own.py").write_text("mine\\n")
git = ["git", "-C", root, "-c", "user.name=A", "-c", "user.email=a@b"]
subprocess.run([*git, "add", "--all"], check=True)
subprocess.run([*git, "commit", "--quiet", "--message", "meanwhile"], check=True)
"""


def test_a_commit_that_is_made_meanwhile_is_not_undone(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    fixed = {"shared/logging.py": LOGGING + "fixed\n", "shared/new.py": "new\n"}
    vendor.release("v1.1.0", {SETUP: VERIFY + COMMITS, **fixed})

    result = customer.platform("update")

    assert result.code == 3, result.output
    assert "edited these files while the update ran" in result.output
    assert "  shared/logging.py\n" in result.output
    assert customer.read("shared/logging.py") == "committed meanwhile\n"
    assert customer.read("shared/new.py") == "new\n"
    assert "shared/logging.py" not in customer.git("diff", "--cached", "--name-only")
    assert not (customer.root / ".git/platform-update").exists()


def test_what_is_mended_and_added_there_lands(broken: Customer) -> None:
    assert broken.platform("update").code == 1
    new = Customer(broken.root / ".platform-update/project")
    new.write({"shared/logging.py": new.read("shared/logging.py").replace("broken", "mended")})
    new.write({"shared/more.py": "more\n", "shared/bad.py": "broken\n"})
    new.write({"shared/logging.py": new.read("shared/logging.py") + "broken\n"})
    assert broken.platform("update", "--continue").code == 1
    new.write({"shared/logging.py": new.read("shared/logging.py").replace("broken\n", "")})
    new.write({"shared/bad.py": None})

    result = broken.platform("update", "--continue")

    assert result.code == 0, result.output
    assert broken.read("shared/logging.py") == EDITED.replace("line 18\n", "line 18, mended\n")
    assert broken.git("show", "HEAD:shared/more.py") == "more\n" == broken.read("shared/more.py")
    assert broken.git("status", "--porcelain") == ""
    report = broken.read("docs/updates/v1.1.0-to-v1.2.0.md")
    assert "`platform verify` passed." in report
    assert report.count("`shared/more.py`") == 1


def test_a_file_that_both_sides_generated_is_generated_again(vendor: Vendor, copy: Copy) -> None:
    document = "apps/api/openapi.json"
    tools = vendor.root / "template/scripts/customer-tools/platform_tools"
    text = (tools / "ownership.toml").read_text()
    (tools / "ownership.toml").write_text(
        re.sub(r'command = ".*"', f'command = "echo again > {document}"', text)
    )
    ignored = str(FILES[".gitignore.jinja"]) + "/.venv/\n"
    vendor.release("v1.1.0", {SETUP: VERIFY, ".gitignore.jinja": ignored, document: "first\n"})
    customer = copy(tag="v1.1.0")
    customer.commit({document: "first\nmine\n"})
    vendor.release("v1.2.0", {document: "first\nnew\n"})

    result = customer.platform("update")

    assert result.code == 0, result.output
    assert customer.read(document) == "again\n" == customer.git("show", f"HEAD:{document}")
    report = customer.read("docs/updates/v1.1.0-to-v1.2.0.md")
    assert f"## Rebuilt\n\n- `{document}`" in report
    assert "Replaced by" not in report


def test_it_can_land_as_it_is(broken: Customer) -> None:
    assert broken.platform("update").code == 1

    assert broken.platform("update", "--continue", "--no-verify").code == 0

    assert "broken" in broken.read("shared/logging.py")


@pytest.fixture
def locked(vendor: Vendor, copy: Copy) -> Customer:
    """A project whose lock file has a package of its own, and an update with another package."""
    project = '[project]\nname = "acme"\nversion = "1"\nrequires-python = ">=3.11"\n'
    setup = (REPOSITORY / "template" / SETUP).read_bytes()
    constraints = {"constraints.txt": "six==1.17.0\n", SETUP: setup}
    vendor.release("v1.1.0", {"pyproject.toml": project + "dependencies = []\n", **constraints})
    customer = copy(tag="v1.1.0")
    customer.write({"pyproject.toml": project + 'dependencies = ["idna"]\n'})
    assert run([sys.executable, SETUP, "--locks"], customer.root).code == 0
    customer.commit()
    new = project.replace('"1"\n', '"1"\ndescription = "new"\n')
    more = 'dependencies = []\n\n[dependency-groups]\ndev = ["six"]\n'
    vendor.release("v1.2.0", {"pyproject.toml": new + more})
    return customer


def test_without_network_lock_files_are_left_for_later(locked: Customer, door: str) -> None:
    before = locked.snapshot()
    closed = f"http://127.0.0.1:{free_ports(1)[0]}/simple"
    names = {"UV_DEFAULT_INDEX": closed, "UV_INDEX_URL": closed, "UV_HTTP_RETRIES": "0"}

    for way in ("--abort", "--continue"):
        result = locked.update(door, **names)
        assert result.code == 1, result.output
        assert "uv.lock cannot be rebuilt" in result.output
        assert "out of reach" in result.output
        assert locked.platform("update", way).code == 0
        if way == "--abort":
            assert locked.snapshot() == before

    lock = locked.read("uv.lock")
    assert 'name = "six"\nversion = "1.17.0"' in lock
    assert 'name = "idna"' in lock
    assert "_commit: v1.2.0" in locked.read(".copier-answers.yml")
    if door == "platform":
        assert locked.git("status", "--porcelain") == ""
