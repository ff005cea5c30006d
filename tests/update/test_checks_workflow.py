"""The checks of each git host: their own shell steps, in a clone as a runner has it."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import Result, commit, git, write

WORKFLOWS = {
    "github": ".github/workflows/checks.yml",
    "forgejo": ".forgejo/workflows/checks.yml",
    "gitlab": ".gitlab-ci.yml",
}
COMMANDS = ["secrets --production", "verify --all --images", "scan"]
# A set-up whose `platform` notes its calls, and fails where the project has a file of that name.
MAKEFILE = """\
setup:
\t@mkdir -p .venv/bin && cp platform .venv/bin/platform
"""
STAND_IN = '#!/bin/sh\necho "$*" >> calls\n! test -e "failing-$1"\n'


class Host:
    """A git host with one repository, and its runner."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.runs = kind, folder, 0
        self.origin = folder / "acme/platform"
        self.origin.mkdir(parents=True)
        git(folder, "init", "--quiet", "--initial-branch=main", self.origin)

    def push(self, files: dict[str, str | None]) -> str:
        """Commit to the repository; returns the commit's ID."""
        write(self.origin, files)
        (self.origin / "platform").chmod(0o755)
        return commit(self.origin)

    def check(self, commit_id: str) -> Result:
        """Run the workflow for a commit; the output is the calls of `platform`."""
        self.runs += 1
        place = self.folder / f"runner-{self.runs}"
        place.mkdir()
        workflow = yaml.safe_load((REPOSITORY / "template" / WORKFLOWS[self.kind]).read_text())
        steps: list[dict[str, Any]]
        if self.kind == "gitlab":
            # The runner's own clone. A job ends with its first failure; other jobs run.
            git(place, "clone", "--quiet", self.origin, ".")
            git(place, "checkout", "--quiet", "--detach", commit_id)
            steps = [
                {"run": "\n".join(workflow[job]["script"]), "if": "${{ !cancelled() }}"}
                for job in ("checks", "scan")
            ]
        else:
            steps = workflow["jobs"]["checks"]["steps"]
        environment = os.environ | {
            "GITHUB_SERVER_URL": f"file://{self.folder}",
            "GITHUB_REPOSITORY": "acme/platform",
            "GITHUB_SHA": commit_id,
            "TOKEN": "t",
        }
        code = 0
        for step in steps:
            assert "uses" not in step
            assert "${{" not in step["run"]
            if code and "cancelled" not in step.get("if", ""):
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            code = code or done.returncode
        assert git(place, "rev-parse", "HEAD").strip() == commit_id
        return Result(code, (place / "calls").read_text())


@pytest.fixture(params=list(WORKFLOWS))
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    return Host(request.param, tmp_path)


def test_each_check_runs_and_can_fail(host: Host) -> None:
    first = host.push({"Makefile": MAKEFILE, "platform": STAND_IN, ".gitignore": "calls\n"})
    unsafe = host.push({"failing-scan": ""})
    wrong = host.push({"failing-scan": None, "failing-verify": ""})

    assert host.check(first) == Result(0, "\n".join([*COMMANDS, ""]))
    assert host.check(unsafe).code != 0
    # A check that fails hides no other.
    assert host.check(wrong) == Result(1, "\n".join([*COMMANDS, ""]))
