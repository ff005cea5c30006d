"""What the doctor finds in settings and tools that do not work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from platform_tools.check import machine

PLATFORM_TOML = """
[customer]
name = "Acme"
slug = "acme"
admin_email = "admin@acme.example"
"""
KEY, TOKEN = os.urandom(32).hex(), os.urandom(32).hex()
SECRETS = f"SECRET_KEY={KEY}\nSERVICE_TOKEN={TOKEN}\n"
CHECK = """
from platform_tools.project import make_importable
make_importable()
from platform_tools.check import values
for check in (values.settings, values.secrets):
    for finding in check():
        print(finding.status, finding.message, finding.fix)
"""
DOCTOR = """
from platform_tools.project import make_importable
make_importable()
from platform_tools.check.doctor import run
run(as_json=True)
"""


def findings(root: Path, env: str, code: str = CHECK) -> str:
    """What `code` prints for a project with this `.env`, in a fresh process."""
    (root / "platform.toml").write_text(PLATFORM_TOML)
    (root / ".env").write_text(env)
    (root / ".env").chmod(0o600)
    names = ("SECRET_KEY", "SERVICE_TOKEN", "MODEL__", "PORTS__", "OPENAI_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "PLATFORM_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_good_values_have_no_findings(tmp_path: Path) -> None:
    found = findings(tmp_path, SECRETS)
    assert "fail" not in found
    assert "warn" not in found


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (SECRETS + "PORTS__API=many\n", "PORTS__API"),
        ("SECRET_KEY=\nSERVICE_TOKEN=\n", "SECRET_KEY: must be at least 32"),
        (SECRETS.replace(KEY, f"changeme{KEY}"), "SECRET_KEY: is a placeholder"),
        (SECRETS.replace(TOKEN, KEY), "are the same"),
        (SECRETS + "MODEL__PROVIDER=openai\n", "put OPENAI_API_KEY="),
        (SECRETS + "PORT__API=9100\n", "unknown variable PORT__API"),
    ],
)
def test_each_wrong_value_is_named(tmp_path: Path, env: str, message: str) -> None:
    assert message.lower() in findings(tmp_path, env).lower()


def test_without_settings_nothing_else_is_blamed(tmp_path: Path) -> None:
    found = json.loads(findings(tmp_path, SECRETS + "PORTS__API=many\n", DOCTOR))

    after = [one["name"] for one in found[[one["name"] for one in found].index("settings") :]]
    assert after == ["settings", "disk, ports, databases, agents"]


def test_a_tool_whose_interpreter_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = tmp_path / "git"
    git.write_text("#!/nonexistent/python\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    (found,) = (finding for finding in machine.tools() if finding.name == "git")

    assert found.status == "fail"
    assert "does not run" in found.message
