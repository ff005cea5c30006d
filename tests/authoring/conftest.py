"""Fixtures for tests of authoring: the agents service on a copy of the template."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authoring.workshop import Workshop, open_workshop


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A project whose agents service runs."""
    opened = open_workshop(tmp_path_factory.mktemp("workshop"))
    yield opened
    opened.stop()


@pytest.fixture
def project(tmp_path: Path) -> Workshop:
    """A project where nothing runs."""
    return Workshop(tmp_path)
