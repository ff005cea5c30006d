"""Files that moved, became something else or are made from others, through both doors."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.updates import FILES, Customer, Vendor, git, write
from tests.support.updates import commit as commit_all

Copy = Callable[..., Customer]
LOGGING, APP = str(FILES["shared/logging.py"]), str(FILES["apps/api/src/core/app.py"])
FIXED = LOGGING.replace("line 18\n", "line 18, new\n")
CORE, OWN = "apps/api/src/core/app.py", "apps/api/src/app.py"


def declare(vendor: Vendor, old: str, new: str) -> None:
    text = f'[[release]]\nversion = "1.1.0"\nnotes = "Moved"\nrenamed = {{ "{old}" = "{new}" }}\n'
    (vendor.root / "releases.toml").write_text(text)


@pytest.mark.parametrize("side", ["yours", "framework"])
def test_a_link_in_place_of_a_file_is_one_conflict(
    vendor: Vendor, copy: Copy, door: str, side: str
) -> None:
    customer = copy()
    link = customer.root / "shared/logging.py"
    link.unlink()
    link.symlink_to("/etc/acme/logging.py")
    customer.commit()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    result = customer.update(door)

    assert result.code and "Deleted by you and changed" not in result.output, result.output
    place = customer.root / (".platform-update/project" if door == "platform" else "")
    stages = git(place, "ls-files", "--unmerged").splitlines()
    assert [line.split()[2:] for line in stages] == [[n, "shared/logging.py"] for n in "123"]
    assert customer.platform("resolve", "--use", side).code == 0
    assert customer.platform("update", "--continue", "--no-verify").code == 0
    assert link.is_symlink() == (side == "yours")
    assert side == "yours" or link.read_text() == FIXED


def test_a_submodule_in_place_of_a_file_is_a_conflict(
    vendor: Vendor, copy: Copy, door: str, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", tmp_path / "library")
    write(tmp_path / "library", {"lib.py": "lib\n"})
    commit_all(tmp_path / "library")
    customer = copy()
    customer.git("rm", "--quiet", "shared/logging.py")
    customer.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(tmp_path / "library", "shared/logging.py"),
    )
    customer.commit()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    result = customer.update(door)

    assert result.code and "Traceback" not in result.output, result.output
    assert "shared/logging.py  (suggested: framework)" in result.output
    assert customer.read("shared/logging.py/lib.py") == "lib\n"
    assert customer.platform("resolve", "--use", "yours").code == 0
    assert customer.platform("update", "--continue", "--no-verify").code == 0
    assert customer.read("shared/logging.py/lib.py") == "lib\n"
    assert customer.git("ls-files", "--stage", "shared/logging.py").startswith("160000")


def test_a_declared_rename_carries_edits_whatever_was_rewritten(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({"shared/logging.py": LOGGING.replace("line 2\n", "line 2, mine\n")})
    declare(vendor, "shared/logging.py", "shared/logs.py")
    new = "".join(f"other {n}\n" for n in range(30)) + "line 1\nline 2\nline 3\nline 4\n"
    vendor.release("v1.1.0", {"shared/logging.py": None, "shared/logs.py": new})

    assert "Renamed (1)\n  `shared/logs.py` (from shared/logging.py)" in customer.updated(door)

    assert customer.read("shared/logs.py") == new.replace("line 2\n", "line 2, mine\n")
    assert not (customer.root / "shared/logging.py").exists()


@pytest.mark.parametrize("mine", [APP, APP.replace("app = 2\n", "app = 'mine'\n")])
def test_a_file_that_is_handed_to_the_customer_moves_with_its_edits(
    vendor: Vendor, copy: Copy, door: str, mine: str
) -> None:
    customer = copy()
    customer.commit({CORE: mine})
    declare(vendor, CORE, OWN)
    vendor.release("v1.1.0", {CORE: None, OWN: APP.replace("app = 18\n", "app = 'new'\n")})

    assert f"`{OWN}` (from {CORE})" in customer.updated(door)

    assert customer.read(OWN) == mine.replace("app = 18\n", "app = 'new'\n")
    assert not (customer.root / CORE).exists()


def test_a_file_that_the_customer_took_over_is_not_called_deleted(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.git("mv", CORE, OWN)
    customer.commit({OWN: APP.replace("app = 2\n", "app = 'mine'\n")})
    vendor.release("v1.1.0", {CORE: APP.replace("app = 18\n", "app = 'new'\n")})

    customer.updated(door)

    report = customer.read("docs/updates/v1.0.0-to-v1.1.0.md")
    assert f"`{CORE}` (now {OWN})" in report and "Deleted by you and changed" not in report


def test_a_file_that_the_customer_took_over_and_the_framework_renamed(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.git("mv", CORE, OWN)
    customer.commit({"shared/logging.py": None})
    new = APP.replace("app = 18\n", "app = 'new'\n")
    renamed = {CORE: None, "apps/api/src/core/application.py": new}
    renamed |= {"shared/logging.py": None, "shared/logs.py": FIXED}
    vendor.release("v1.1.0", renamed)

    customer.updated(door)

    report = customer.read("docs/updates/v1.0.0-to-v1.1.0.md")
    to = "the framework renamed it to"
    assert f"- `{CORE}` (now {OWN}; {to} apps/api/src/core/application.py)" in report
    assert f"- `shared/logging.py` ({to} shared/logs.py)" in report
    assert "- `apps/api/src/core/application.py`" not in report


def test_a_new_file_in_a_folder_that_the_customer_moved_is_named(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.git("mv", "shared", "common")
    customer.commit()
    vendor.release("v1.1.0", {"shared/logging.py": FIXED, "shared/new.py": "new\n"})

    customer.updated(door)

    report = customer.read("docs/updates/v1.0.0-to-v1.1.0.md")
    assert "in a folder that you had moved or deleted\n\n- `shared/new.py`" in report
    assert customer.read("common/logging.py") == FIXED


def test_a_generated_file_is_not_called_merged(vendor: Vendor, copy: Copy, door: str) -> None:
    document = "apps/api/openapi.json"
    vendor.release("v1.0.1", {document: '{"a": 1}\n'})
    customer = copy(tag="v1.0.1")
    customer.commit({document: '{"a": 1, "mine": 2}\n'})
    vendor.release("v1.1.0", {document: '{"a": 1, "b": 2}\n'})

    customer.updated(door)

    report = customer.read("docs/updates/v1.0.1-to-v1.1.0.md")
    assert "Merged with your changes" not in report
    assert f"## Replaced by the framework's version\n\n- `{document}`" in report
    assert "(uv run python -m apps.api.src.core.openapi > apps/api/openapi.json)" in report


@pytest.mark.parametrize(("name", "value"), [("provider", "opnai"), ("services", "web")])
def test_an_answer_that_makes_no_sense_is_refused(
    vendor: Vendor, copy: Copy, door: str, name: str, value: str
) -> None:
    vendor.configure(
        provider={"type": "str", "choices": ["offline", "openai"], "default": "offline"},
        services={"type": "str", "multiselect": True, "choices": ["web"], "default": ["web"]},
    )
    vendor.release("v1.0.1")
    customer = copy(tag="v1.0.1")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    answers = yaml.safe_load(customer.read(".copier-answers.yml")) | {name: value}
    customer.commit({".copier-answers.yml": yaml.safe_dump(answers)})
    before = customer.snapshot()

    result = customer.update(door)

    assert result.code, result.output
    # Copier refuses some by itself, in its own words, before anything is written.
    assert door == "copier" or f"{name}: '{value}'" in result.output, result.output
    assert customer.snapshot() == before


@pytest.mark.parametrize("name", ["customer", "web", "services"])
def test_an_answer_that_is_null(vendor: Vendor, copy: Copy, door: str, name: str) -> None:
    loader = "copier_template_extensions.TemplateExtensionLoader"
    services = {"type": "str", "multiselect": True, "choices": ["web"], "default": ["web"]}
    vendor.configure(
        _jinja_extensions=[loader, "extensions/refusals.py:Refusals"], services=services
    )
    vendor.release("v1.0.1")
    customer = copy(tag="v1.0.1")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})
    answers = yaml.safe_load(customer.read(".copier-answers.yml")) | {name: None}
    start = customer.git("rev-parse", "HEAD").strip()
    customer.commit({".copier-answers.yml": yaml.safe_dump(answers)})
    before = customer.snapshot()

    result = customer.update(door)

    assert result.code == 1 and name in result.output, result.output
    assert "Traceback" not in result.output and "git checkout COMMIT" in result.output
    assert customer.snapshot() == before
    if door == "platform":
        value = "[web]" if name == "services" else "true"
        customer.updated(door, "--data", f"{name}={value}")
    else:
        customer.git("checkout", start, "--", ".copier-answers.yml")
        customer.commit()
        customer.updated(door)
    assert customer.read("shared/logging.py") == FIXED
    assert f"{name}: null" not in customer.read(".copier-answers.yml")


def test_answers_that_were_edited_by_hand(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    answers = customer.read(".copier-answers.yml")
    edited = answers.replace("Acme", "Beta").replace("web: true", "web: false")
    customer.commit({".copier-answers.yml": edited})
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    said = customer.updated(door)

    assert "customer: 'Acme' → 'Beta'" in said and "web: True → False" in said
    assert 'name = "Beta"' in customer.read("platform.toml")
    assert not (customer.root / "apps/web/index.html").exists()
    customer.commit()
    customer.commit({".copier-answers.yml": edited.replace("Beta", "Gamma").replace("0.0", "1.0")})
    assert "customer: 'Beta' → 'Gamma'" in customer.updated(door)
    customer.commit()
    customer.git("update-ref", "-d", "refs/platform/base")
    vendor.release("v1.2.0", {"shared/new.py": "new\n"})
    assert "Changed answers" not in customer.updated(door)


def test_answers_that_an_update_changed_are_not_edited_by_hand(
    vendor: Vendor, copy: Copy, door: str, tmp_path: Path
) -> None:
    """Also in a clone, which lacks what the update has kept."""
    customer = copy()
    customer.updated(door, "--data", "customer=Beta")
    customer.commit({"platform.toml": customer.read("platform.toml").replace("Beta", "Mine")})
    git(tmp_path, "clone", "--quiet", customer.root, "clone")
    clone = Customer(tmp_path / "clone")
    vendor.release("v1.1.0", {"shared/logging.py": FIXED})

    assert "Changed answers" not in clone.updated(door)

    assert 'name = "Mine"' in clone.read("platform.toml")
