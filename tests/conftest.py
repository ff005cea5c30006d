"""Fixtures of all tests: the template as a tagged clone, generated projects, a running platform."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.platform import Platform, running
from tests.support.template import ENVIRONMENT, clone_template, run_copier
from tests.support.waiting import once


def pytest_configure() -> None:
    os.environ.update(ENVIRONMENT)
    # A generated project must not see the environment of the tests.
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # A run in the background ignores Ctrl-C, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def template(shared_tmp: Path) -> Path:
    """The template as it stands, as a git repository whose only tag is the current version."""
    path = shared_tmp / "template"
    with once(path) as make:
        if make:
            clone_template(path)
    return path


@pytest.fixture(scope="session")
def copier_template(template: Path) -> Path:
    """The template that pytest-copier renders."""
    return template


@pytest.fixture(scope="session")
def copier_template_paths() -> list[str]:
    """What of the repository belongs to the template, for pytest-copier."""
    return ["copier.yml", "template", "extensions"]


@pytest.fixture(scope="session")
def generate(template: Path) -> Callable[..., Path]:
    """Copy the template to a path, with answers as keywords and defaults for the rest."""

    def copy(destination: Path, **answers: object) -> Path:
        data = [
            f"--data={name}={json.dumps(value) if isinstance(value, list) else value}"
            for name, value in answers.items()
        ]
        run_copier("copy", "--trust", "--defaults", "--quiet", *data, template, destination)
        return destination

    return copy


@pytest.fixture(scope="session")
def prepare(
    tmp_path_factory: pytest.TempPathFactory, generate: Callable[..., Path]
) -> Callable[[str], Path]:
    """Generate a project under a name and set it up as a customer would, once for each worker."""

    @cache
    def make(name: str) -> Path:
        path = generate(tmp_path_factory.getbasetemp() / "projects" / name)
        done = subprocess.run(["make", "setup"], cwd=path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return path

    return make


@pytest.fixture(scope="session")
def project(prepare: Callable[[str], Path]) -> Path:
    """A generated project, set up, not running; tests leave it as they found it."""
    return prepare("project")


@pytest.fixture(scope="session")
def platform(prepare: Callable[[str], Path]) -> Iterator[Platform]:
    """A generated project that is running with `platform dev`."""
    with running(prepare("platform")) as one:
        yield one
