"""`platform verify` finds what is wrong and names what it skips."""

from pathlib import Path

import pytest
from platform_tools.check import verify

PYPROJECT = """
[tool.mypy]
strict = true
files = ["wrong.py"]
[tool.pytest.ini_options]
testpaths = ["test_wrong.py"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one mistake for each Python step."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "wrong.py").write_text("import os\nx: int = 'text'  \n")
    (tmp_path / "test_wrong.py").write_text("def test_it() -> None:\n    assert 1 == 2\n")
    return tmp_path


def test_every_mistake_is_found_with_its_output(root: Path) -> None:
    found = {one.name: one for one in map(verify.run, verify.steps(root))}
    assert not any(one.ok for one in found.values())
    assert "wrong.py" in found["python format"].output
    assert "F401" in found["python lint"].output
    assert "Incompatible types" in found["python types"].output
    assert "assert 1 == 2" in found["python tests"].output


def test_parts_that_the_project_lacks_are_named(root: Path) -> None:
    assert verify.missing(root) == ["web", "compose files"]


def test_a_part_that_is_there_is_checked(root: Path) -> None:
    (root / "apps" / "web").mkdir(parents=True)
    (root / "docker-compose.dev.yml").touch()
    names = [step.name for step in verify.steps(root)]
    assert {"web lint", "web types", "web test", "docker-compose.dev.yml"} <= set(names)
