"""The engine of the target version: where it comes from, its packages, and where it is kept."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.updates import Customer, Vendor, git, run

Copy = Callable[..., Customer]
# A package that neither this repository's environment nor a project's has.
PACKAGE = "humanize"


@pytest.fixture
def needy(vendor: Vendor, copy: Copy) -> Customer:
    """A project, and a new version whose engine imports a package that the project lacks."""
    customer = copy()
    engine = vendor.root / "extensions/update"
    declared = engine / "pyproject.toml"
    text = declared.read_text().replace(
        "dependencies = [", f'dependencies = [\n    "{PACKAGE}>=4.0",'
    )
    declared.write_text(text)
    pins = ("--universal", "--generate-hashes", "--no-annotate", "--no-header")
    compile_pins = ["uv", "pip", "compile", "--quiet", *pins, "--no-emit-index-url"]
    subprocess.run([*compile_pins, "-o", engine / "constraints.txt", declared], check=True)
    for name in ("transaction.py", "copier_hook.py"):
        path = engine / name
        path.write_text(path.read_text().replace("\nimport ", f"\nimport {PACKAGE}\nimport ", 1))
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    return customer


def without_uv() -> str:
    """A PATH that has Python, git and so on, but no uv."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(one for one in folders if not Path(one, "uv").exists())


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_a_package_that_the_project_lacks(needy: Customer, tool: str) -> None:
    environment = {} if tool == "uv" else {"PATH": without_uv()}
    assert bool(shutil.which("uv", path=environment.get("PATH"))) == (tool == "uv")

    result = needy.update("platform", **environment)

    assert result.code == 0, result.output
    assert f"needs {PACKAGE}>=4.0" in result.output
    assert needy.read("shared/new.py") == "new\n"
    # The environment is made once for a version.
    assert PACKAGE not in needy.update("platform").output


def test_a_package_that_the_project_lacks_from_a_bundle(
    needy: Customer, vendor: Vendor, tmp_path: Path
) -> None:
    bundle = tmp_path / "release.bundle"
    git(vendor.root, "bundle", "create", "--quiet", bundle, "--all")
    vendor.root.rename(tmp_path / "moved")

    result = needy.update("platform", "--from", bundle)

    assert result.code == 0, result.output
    assert needy.read("shared/new.py") == "new\n"


def test_a_package_that_copiers_environment_lacks(needy: Customer) -> None:
    result = needy.update("copier")

    assert result.code == 0, result.output
    assert needy.read("shared/new.py") == "new\n"


def test_an_index_out_of_reach(needy: Customer, door: str, tmp_path: Path) -> None:
    before = needy.snapshot()
    away = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/", "UV_CACHE_DIR": str(tmp_path / "cache")}

    result = needy.update(door, **away)

    assert result.code != 0
    assert "UV_DEFAULT_INDEX" in result.output
    if door == "platform":
        assert "Traceback" not in result.output
        assert needy.snapshot() == before
    assert needy.updated(door) and needy.read("shared/new.py") == "new\n"


def engines(customer: Customer) -> list[Path]:
    return list((customer.root / ".git/platform-engine").iterdir())


def test_one_engine_is_kept(vendor: Vendor, copy: Copy, door: str) -> None:
    customer = copy()
    for version in ("v1.1.0", "v1.2.0"):
        vendor.release(version, {"shared/new.py": f"{version}\n"})
        customer.updated(door)
        if door == "copier":
            customer.commit()

    assert [one.name for one in engines(customer)] == [
        git(vendor.root, "rev-parse", "v1.2.0^{commit}").strip()
    ]


def test_a_lost_engine_is_fetched_again(vendor: Vendor, copy: Copy) -> None:
    customer = copy()
    customer.commit({"shared/new.py": "mine\n"})
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    assert customer.update("platform").code == 3
    shutil.rmtree(customer.root / ".git/platform-engine")

    assert customer.platform("resolve", "--use", "yours").code == 0
    shutil.rmtree(customer.root / ".git/platform-engine")
    result = customer.platform("update", "--continue", "--no-verify")

    assert result.code == 0, result.output
    assert customer.read("shared/new.py") == "mine\n"


def test_the_engine_undoes_an_update_without_the_projects_tools(
    vendor: Vendor, copy: Copy, door: str
) -> None:
    customer = copy()
    customer.commit({"shared/new.py": "mine\n"})
    before = customer.snapshot()
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    assert customer.update(door).code != 0
    [engine] = engines(customer)
    program = engine / "extensions/update/__main__.py"

    result = run([sys.executable, program, "abort"], customer.root)

    assert result.code == 0, result.output
    assert customer.snapshot() == before


def test_an_edit_of_the_starter_counts_and_the_engine_has_none(vendor: Vendor, copy: Copy) -> None:
    """What a customer can edit has an effect: the project holds no engine."""
    customer = copy()

    held = customer.git("ls-files").splitlines()

    assert [path for path in held if "update" in path] == [
        "scripts/customer-tools/platform_tools/update.py"
    ]
    assert not [path for path in held if path.startswith("extensions")]
