"""`platform doctor`, `admin` and the set-up script in a generated project."""

import json
import os
import re
import shutil
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.dev import run_dev

SETUP = "scripts/customer-tools/setup.py"


def platform(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / ".venv/bin/platform", *arguments],
        cwd=root,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )


def findings(root: Path, **env: str) -> dict[str, dict[str, str]]:
    """The findings that are not ok, by name; asserts that the exit code agrees."""
    done = platform(root, "doctor", "--json", **env)
    found = {one["name"]: one for one in json.loads(done.stdout) if one["status"] != "ok"}
    assert done.returncode == any(one["status"] == "fail" for one in found.values())
    return found


class TestDoctor:
    def test_a_project_that_was_set_up_is_well(self, tools_project: Path) -> None:
        assert findings(tools_project) == {}

    def test_it_is_well_while_it_runs(self, tools_project: Path, tmp_path: Path) -> None:
        with run_dev(tools_project, tmp_path / "log", "--no-web") as dev:
            dev.ready()
            assert findings(tools_project) == {}

    def test_a_taken_port(self, tools_project: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            found = findings(tools_project, PORTS__API=str(port))
        assert f"process {os.getpid()}" in found[f"port {port}"]["message"]
        assert "PORTS__API=" in found[f"port {port}"]["fix"]

    def test_an_agent_that_does_not_load(self, tools_project: Path) -> None:
        agent = tools_project / "apps/langgraph/src/agents/broken"
        agent.mkdir()
        try:
            (agent / "graph.py").write_text("graph = (\n")
            found = findings(tools_project)
        finally:
            shutil.rmtree(agent)
        assert "line 1" in found["agent broken"]["message"]

    def test_a_missing_tool_and_a_database_out_of_reach(self, tools_project: Path) -> None:
        found = findings(
            tools_project,
            PATH="/nonexistent",
            DATABASE__KIND="postgresql",
            DATABASE__URL="postgresql+psycopg://nobody@127.0.0.1:1/nothing",
        )
        assert found["git"]["fix"]
        assert "reached" in found["api database"]["message"]
        assert "langgraph database" in found

    def test_data_that_cannot_be_written(self, tools_project: Path, tmp_path: Path) -> None:
        for name in (".env", "platform.toml"):
            shutil.copy2(tools_project / name, tmp_path)
        # Where not even root can create a file.
        (tmp_path / "data").symlink_to("/proc")
        found = findings(tools_project, PLATFORM_ROOT=str(tmp_path))
        assert "cannot be written" in found["disk"]["message"]


def test_a_folder_that_was_moved_is_set_up_again(tools_project: Path, tmp_path: Path) -> None:
    moved = tools_project.rename(tmp_path / "moved")
    try:
        done = subprocess.run(["make", "setup"], cwd=moved, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert findings(moved) == {}
    finally:
        moved.rename(tools_project)
        subprocess.run(["make", "setup"], cwd=tools_project, check=True, capture_output=True)


def test_accounts(tools_project: Path, tmp_path: Path) -> None:
    with run_dev(tools_project, tmp_path / "log", "--no-web") as dev:
        dev.ready()
    added = platform(tools_project, "admin", "add", "Anna@acme.example", "--role", "sales")
    renewed = platform(tools_project, "admin", "reset-password", "anna@acme.example")
    passwords = {json.loads(one.stdout)["password"] for one in (added, renewed)}
    assert len(passwords) == 2
    assert all(len(password) > 15 for password in passwords)
    refused = platform(tools_project, "admin", "reset-password", "nobody@acme.example")
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: There is no account")


def test_the_commands_for_accounts_have_help(tools_project: Path) -> None:
    help_of_all = platform(tools_project, "admin", "--help")
    help_of_one = platform(tools_project, "admin", "add", "--help")

    assert (help_of_all.returncode, help_of_one.returncode) == (0, 0)
    assert "reset-password" in help_of_all.stdout
    assert "--role" in help_of_one.stdout


class TestSetup:
    @pytest.fixture
    def fresh(self, tools_project: Path, tmp_path: Path) -> Iterator[Path]:
        """The project's tracked files and its lock, without anything installed."""
        ignored = shutil.ignore_patterns(".venv", "node_modules", "data", ".git", ".*_cache")
        root = tmp_path / "fresh"
        shutil.copytree(tools_project, root, ignore=ignored)
        yield root
        shutil.rmtree(root)

    @staticmethod
    def setup(tools_project: Path, root: Path, *arguments: str, **env: str) -> tuple[int, str]:
        done = subprocess.run(
            [tools_project / ".venv/bin/python", root / SETUP, *arguments],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    @staticmethod
    def locked(root: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package in tomllib.loads((root / "uv.lock").read_text())["package"]:
            found.setdefault(package["name"], set()).add(package.get("version", ""))
        return found

    def test_a_second_set_up_changes_nothing(self, tools_project: Path) -> None:
        before = (tools_project / "uv.lock").read_bytes(), (tools_project / ".env").read_bytes()
        code, output = self.setup(tools_project, tools_project)
        assert code == 0, output
        assert before == (
            (tools_project / "uv.lock").read_bytes(),
            (tools_project / ".env").read_bytes(),
        )

    def test_locks_follow_the_vendors_versions(self, tools_project: Path, fresh: Path) -> None:
        lock = (fresh / "uv.lock").read_text()
        (fresh / "uv.lock").unlink()
        code, output = self.setup(tools_project, fresh, "--locks")
        assert code == 0, output
        pins = re.findall(r"^([\w.-]+)==([^\s;]+)", (fresh / "constraints.txt").read_text(), re.M)
        locked = self.locked(fresh)
        assert all(version in locked[name] for name, version in pins if name in locked)
        assert (fresh / "uv.lock").read_text() == lock

    def test_a_requirement_of_the_customer_wins_with_a_warning(
        self, tools_project: Path, fresh: Path
    ) -> None:
        before = self.locked(fresh)
        pyproject = fresh / "apps/api/pyproject.toml"
        text = pyproject.read_text()
        pyproject.write_text(text.replace("dependencies = [", 'dependencies = ["certifi<2025",'))
        code, output = self.setup(tools_project, fresh, "--locks")
        assert code == 0, output
        assert "exclude the vendor's certifi==" in output
        after = self.locked(fresh)
        assert {name for name in after if after[name] != before[name]} == {"certifi"}

    def test_without_a_package_index_it_says_so(self, tools_project: Path, fresh: Path) -> None:
        (fresh / "uv.lock").unlink()
        cache = str(fresh / ".cache" / "empty")
        code, output = self.setup(tools_project, fresh, UV_OFFLINE="1", UV_CACHE_DIR=cache)
        assert code == 3
        assert "UV_DEFAULT_INDEX" in output
        assert not (fresh / ".venv" / ".platform-setup").exists()
