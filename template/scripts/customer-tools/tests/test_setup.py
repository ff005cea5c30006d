"""The set-up script follows the vendor's pins and says what is wrong with a machine."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "setup.py"


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("platform_setup", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_pin_is_passed_on_without_its_hashes(setup: ModuleType) -> None:
    assert setup.read_pins("a-b==1.2 \\\n    --hash=sha256:00\n") == ["a-b==1.2"]


def test_a_name_pinned_by_markers_becomes_a_range(setup: ModuleType) -> None:
    text = "a==1.10 ; python_version < '3.12' \\\na==1.9 ; python_version >= '3.12' \\\n"
    assert setup.read_pins(text) == ["a>=1.9,<=1.10"]


@pytest.mark.parametrize(
    "message",
    [
        "error: Failed to fetch\n  Caused by: error sending request for url",
        "ERROR: Could not find a version that satisfies the requirement uv (from versions: none)",
        "npm error code ENOTFOUND",
    ],
)
def test_a_package_index_out_of_reach_is_recognised(setup: ModuleType, message: str) -> None:
    with pytest.raises(setup.SetupError, match="make setup") as error:
        setup.run("step", sys.executable, "-c", f"print({message!r}); raise SystemExit(1)")
    assert error.value.code == 3


def test_output_of_a_failed_step_is_shown(setup: ModuleType) -> None:
    with pytest.raises(setup.SetupError, match=r"the reason\n\nstep: failed") as error:
        setup.run("step", sys.executable, "-c", "print('the reason'); raise SystemExit(1)")
    assert error.value.code == 1


def test_without_git_it_stops_before_anything_is_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "git is needed" in done.stderr
