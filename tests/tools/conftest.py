"""A generated project for the tests of the `platform` command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.ports import free_ports


@pytest.fixture(scope="session")
def tools_project(prepare: Callable[[str], Path]) -> Path:
    """A generated project, set up, with free ports; tests undo their changes."""
    root = prepare("tools")
    ports = dict(zip(("API", "WEB", "LANGGRAPH"), free_ports(3), strict=True))
    with (root / ".env").open("a") as env:
        env.writelines(f"PORTS__{name}={port}\n" for name, port in ports.items())
    return root
