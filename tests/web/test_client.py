"""The generated client is that of the API as it is."""

import os
import subprocess
from pathlib import Path

CLIENT = "apps/web/src/core/client"


def test_generating_the_client_changes_nothing(project: Path) -> None:
    tools = f"{project / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["npm", "run", "--silent", "generate"]
    done = subprocess.run(
        command,
        cwd=project / "apps/web",
        env={**os.environ, "PATH": tools},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    changed = ["git", "status", "--porcelain", "--", CLIENT]
    assert not subprocess.run(changed, cwd=project, capture_output=True, text=True).stdout
