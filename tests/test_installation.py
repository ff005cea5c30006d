"""The README's commands that bring Copier to a customer, each tried in an empty environment."""

import os
import re
import subprocess
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest

from tests.support.template import ROOT

COMMANDS = re.findall(
    r"^(?:uv tool|pipx) install copier .*$", (ROOT / "README.md").read_text(), re.M
)


def names(requirements: list[str]) -> set[str]:
    return {re.split("[^a-z0-9._-]", one)[0] for one in requirements}


def test_both_commands_name_what_the_template_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # Copier brings its own dependencies.
    expected = names(project["dependencies"]) - {"copier"} - names(requires("copier") or [])
    assert len(COMMANDS) == 2
    for command in COMMANDS:
        assert set(re.findall(r"--(?:with|preinstall) (\S+)", command)) == expected


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
def test_the_command_brings_a_copier_that_renders_the_template(
    template: Path, tmp_path: Path, command: str
) -> None:
    tools = tmp_path / "bin"
    env = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tools),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tools),
    }
    if command.startswith("pipx"):
        command = f"uvx {command}"
    for line in (command, f"copier copy --trust --defaults --quiet {template} {tmp_path}/project"):
        done = subprocess.run(line, shell=True, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "project" / "platform.toml").exists()
