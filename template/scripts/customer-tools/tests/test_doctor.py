"""What the doctor finds in settings that do not work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLATFORM_TOML = """
[customer]
name = "Acme"
slug = "acme"
domain = "acme.example"
admin_email = "admin@acme.example"
created_on = "2026-01-01"
"""
KEY, TOKEN = os.urandom(32).hex(), os.urandom(32).hex()
SECRETS = f"SECRET_KEY={KEY}\nSERVICE_TOKEN={TOKEN}\n"
CHECK = """
from platform_tools.project import make_importable
make_importable()
from platform_tools.checks import values
for check in (values.settings, values.secrets):
    for finding in check():
        print(finding.status, finding.message, finding.mend)
"""


def findings(root: Path, env: str) -> str:
    """What the checks of values print for a project with this `.env`, in a fresh process."""
    (root / "platform.toml").write_text(PLATFORM_TOML)
    (root / ".env").write_text(env)
    (root / ".env").chmod(0o600)
    names = ("SECRET_KEY", "SERVICE_TOKEN", "MODEL__", "PORTS__", "OPENAI_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return subprocess.run(
        [sys.executable, "-c", CHECK],
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
        ("SECRET_KEY=\nSERVICE_TOKEN=\n", "SECRET_KEY must be at least 32"),
        (SECRETS.replace(KEY, f"changeme{KEY}"), "SECRET_KEY in .env is a placeholder"),
        (SECRETS.replace(TOKEN, KEY), "are the same"),
        (SECRETS + "MODEL__PROVIDER=openai\n", "put OPENAI_API_KEY="),
        (SECRETS + "PORT__API=9100\n", "nothing reads PORT__API"),
    ],
)
def test_each_wrong_value_is_named(tmp_path: Path, env: str, message: str) -> None:
    assert message.lower() in findings(tmp_path, env).lower()
