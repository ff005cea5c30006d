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


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Docker with Compose, the only program on the path."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_parts_that_the_project_lacks_are_named(root: Path) -> None:
    absent = "not in this project"
    assert verify.skipped(root) == {"web": absent, "compose files": absent}


@pytest.mark.usefixtures("docker")
def test_a_part_that_is_there_is_checked(root: Path) -> None:
    (root / "apps" / "web").mkdir(parents=True)
    (root / "docker-compose.dev.yml").touch()
    names = [step.name for step in verify.steps(root)]
    assert {"web lint", "web types", "web test", "docker-compose.dev.yml"} <= set(names)


def test_dockerfiles_and_shell_scripts_are_linted(root: Path) -> None:
    folder = root / "deployment" / "docker"
    folder.mkdir(parents=True)
    (folder / "Dockerfile.api.prod").write_text("FROM debian\nRUN cd /tmp\n")
    (folder / "healthy").write_text("#!/bin/sh\necho $1\n")
    (folder / "extras.py").write_text("#!/usr/bin/env python3\n")
    found = {one.name: one for one in map(verify.run, verify._container_steps(root))}
    assert not any(one.ok for one in found.values())
    assert "DL3006" in found["dockerfiles"].output
    assert "SC2086" in found["shell scripts"].output
    assert "extras.py" not in found["shell scripts"].output


@pytest.mark.usefixtures("docker")
def test_images_are_built_when_asked_for(root: Path) -> None:
    def names(*, images: bool) -> list[str]:
        return [step.name for step in verify.steps(root, images=images)]

    assert "images" not in names(images=True)
    (root / "docker-compose.prod.yml").touch()
    assert "images" in names(images=True)
    assert "images" not in names(images=False)


def test_a_compose_file_is_checked_only_where_that_is_possible(root: Path, docker: Path) -> None:
    name = "docker-compose.prod.yml"
    (root / name).write_text("include: [{path: prod.yml, env_file: .env.production}]\n")
    assert verify.skipped(root)[name] == ".env.production is missing"
    (root / ".env.production").touch()
    assert name not in verify.skipped(root)
    docker.unlink()
    assert verify.skipped(root)[name] == "Docker Compose is not installed"
    assert name not in [step.name for step in verify.steps(root)]
