"""CONTRIBUTING.md: named paths exist, planned ones do not yet, and the example of one test runs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PRESENT, PLANNED = TEXT.split("not there yet:")


def test_named_paths_exist() -> None:
    places = re.findall(r"`((?:template|extensions|tests)/[^`]*|[a-z]+\.(?:toml|yml))`", PRESENT)
    assert len(places) > 15
    patterns = {place: re.sub(r"\b[A-Z]{2,}\b", "*", place).rstrip("/") for place in places}
    assert not [place for place, pattern in patterns.items() if not any(ROOT.glob(pattern))]


def test_planned_paths_move_to_the_first_table_when_they_come() -> None:
    places = re.findall(r"`((?:template/deployment|distribution)[^`]*)/`", PLANNED)
    assert places
    assert not [place for place in places if (ROOT / place).exists()]


def test_one_test_runs_as_described() -> None:
    [command] = re.findall(r"^\.venv/bin/python (-m pytest tests/.*)$", TEXT, re.M)
    done = subprocess.run(
        [sys.executable, *command.split(), "--collect-only", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
