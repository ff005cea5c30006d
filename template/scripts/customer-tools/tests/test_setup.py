"""The set-up script follows the vendor's pins and says what is wrong with a machine."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import psutil  # type: ignore[import-untyped]
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


STEP = """
import subprocess, sys
from pathlib import Path
child = subprocess.Popen(["sleep", "300"])
Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""


def test_a_stopped_step_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(STEP)
    command = ["step", sys.executable, str(tmp_path / "step.py"), str(tmp_path / "child")]
    code = f"import sys; sys.path[0] = {str(SCRIPT.parent)!r}; import setup; setup.run(*{command})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)

    assert process.wait(30) != 0
    child = int((tmp_path / "child").read_text())
    running = psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE
    assert not running
