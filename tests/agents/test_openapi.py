"""The OpenAPI document is complete: schemathesis finds no other behaviour."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.agents.service import HERE, TOKEN, running

# The seed makes a run repeatable.
OPTIONS = ["--max-examples", "15", "--seed", "1", "--request-timeout", "30", "--no-color"]
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,ignored_auth"
)
# Fast agents without failures, so that every 5xx is a failure of the service.
GOOD = ("echo", "approval", "talker")


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    for name in GOOD:
        shutil.copytree(HERE / "agents" / name, tmp_path / "agents" / name)
    settings = {"ENVIRONMENT": "production", "TEST_AGENTS": tmp_path / "agents"}
    with running(tmp_path, **settings) as service:
        command = [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{service.url}/openapi.json",
            *("--header", f"Authorization: Bearer {TOKEN}"),
            *("--checks", CHECKS),
            *OPTIONS,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr
