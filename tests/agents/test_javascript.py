"""LangGraph's clients for JavaScript, unmodified, on the running service."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agents.service import HERE, TEMPLATE, Service


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LangGraph's JavaScript SDK and scripts that use it."""
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copytree(HERE / "javascript", folder, dirs_exist_ok=True)
    node = TEMPLATE / ".venv/bin"
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    command = [node / "npm", "ci", "--silent", "--no-fund", "--no-audit"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=True)
    return folder


def run_script(folder: Path, script: str, service: Service) -> Any:
    done = subprocess.run(
        [TEMPLATE / ".venv/bin/node", script, service.url, service.env["SERVICE_TOKEN"]],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_javascript_sdk(service: Service, javascript: Path) -> None:
    seen = run_script(javascript, "main.mjs", service)
    assert seen["events"][0] == "metadata"
    assert {"values", "messages", "messages/partial", "end"} <= set(seen["events"])
    assert seen["joined"] == ["metadata", *["updates"] * 5, "end"]
    assert seen["asked"]["__interrupt__"][0]["value"] == {"approve": "SHIP"}
    assert seen["messages"] == 2
    assert seen["earlier"] == seen["all"] - 1


def test_use_stream(service: Service, javascript: Path) -> None:
    """With the values of LangGraph's development server."""
    seen = run_script(javascript, "react.mjs", service)
    assert seen["tokens"] == {"texts": 21, "errors": [], "messages": 2}
    assert seen["branches"] == {
        "edited": ["second", "echo: second"],
        "branches": 2,
        "switched": ["first", "echo: first"],
    }
    assert seen["interrupt"] == {
        "asked": {"approve": "SHIP"},
        "text": "SHIP, yes",
        "custom": [{"step": "draft"}],
        "updates": ["draft", "__interrupt__", "__interrupt__", "ask", "inner"],
        "interrupt": None,
    }
    assert seen["reconnected"] == {"counted": 40, "errors": []}
    assert seen["stopped"] == "interrupted"
    assert "RuntimeError" in seen["failed"]
