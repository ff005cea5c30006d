"""The scheduled workflow of each git host: its own shell steps, in a clone as a runner has it."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, PLATFORM, Customer, Result, Vendor, git

Copy = Callable[..., Customer]
LOGGING = str(FILES["shared/logging.py"])
WORKFLOWS = {
    "github": ".github/workflows/platform-update.yml",
    "forgejo": ".forgejo/workflows/platform-update.yml",
    "gitlab": ".gitlab-ci.yml",
}
# What `make setup` leaves, without an installation.
SETUP = f"""
import sysconfig, venv
from pathlib import Path
venv.create(".venv", with_pip=False)
[packages] = Path(".venv").glob("lib/*/site-packages")
paths = [sysconfig.get_paths()["purelib"], str(Path("scripts/customer-tools").resolve())]
(packages / "project.pth").write_text("\\n".join(paths))
python, platform = Path(".venv/bin/python").absolute(), Path(".venv/bin/platform")
platform.write_text(f"#!{{python}} -P\\n" + {PLATFORM!r})
platform.chmod(0o755)
"""


class Host:
    """A git host: a repository that may be pushed to, an API, and a runner."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.runs = kind, folder, 0
        self.opened: list[dict[str, str]] = []
        self.api = ""
        self.origin = folder / "acme/platform"
        folder.mkdir()
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.origin)
        git(self.origin, "config", "receive.advertisePushOptions", "true")
        hook = self.origin / "hooks/pre-receive"
        hook.write_text(
            f"#!/bin/sh\nenv | sed -n s/^GIT_PUSH_OPTION_[0-9]*=//p >> {folder}/options\n"
        )
        hook.chmod(0o755)

    def run(self) -> Result:
        """Run the workflow in a new, empty place."""
        self.runs += 1
        place = self.folder / f"runner-{self.runs}"
        environment = os.environ | {"GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig")}
        workflow = yaml.safe_load((REPOSITORY / "template" / WORKFLOWS[self.kind]).read_text())
        if self.kind == "gitlab":
            scripts = ["\n".join(workflow["platform-update"]["script"])]
            address = "https://token:t@git.acme.example/acme/platform.git"
            git(
                self.folder,
                "config",
                "--file",
                "gitconfig",
                f"url.file://{self.origin}.insteadOf",
                address,
            )
            # The runner's own clone.
            git(self.folder, "clone", "--quiet", "--depth", "1", f"file://{self.origin}", place)
            git(place, "checkout", "--quiet", "--detach")
            environment |= {
                "GITLAB_CI": "true",
                "CI_COMMIT_BRANCH": "main",
                "CI_SERVER_HOST": "git.acme.example",
                "CI_PROJECT_PATH": "acme/platform",
                "PLATFORM_UPDATE_TOKEN": "t",
            }
        else:
            job = workflow["jobs"]["update"]
            scripts = [step["run"] for step in job["steps"]]
            place.mkdir()
            environment |= {
                name: re.sub(r"\$\{\{.*?\}\}", "t", job["env"][name]) for name in job["env"]
            }
            environment |= {
                "GITHUB_SERVER_URL": f"file://{self.folder}",
                "GITHUB_API_URL": self.api,
                "GITHUB_REPOSITORY": "acme/platform",
                "GITHUB_REF_NAME": "main",
            }
        output = ""
        for script in scripts:
            assert "${{" not in script
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            output += done.stdout
            if done.returncode:
                return Result(done.returncode, output)
        return Result(0, output)

    def requests(self) -> list[str]:
        """The titles of the requests so far."""
        if self.kind != "gitlab":
            assert all(one["path"] == "/repos/acme/platform/pulls" for one in self.opened)
            assert all(one["base"] == "main" for one in self.opened)
            return [one["title"] for one in self.opened]
        file = self.folder / "options"
        options = file.read_text().splitlines() if file.exists() else []
        titles = [one.partition("title=")[2] for one in options if ".title=" in one]
        assert options.count("merge_request.create") == len(titles)
        assert options.count("merge_request.target=main") == len(titles)
        return titles


@pytest.fixture(params=list(WORKFLOWS))
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    one = Host(request.param, tmp_path / "host")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            assert self.headers["Authorization"] == "token t"
            length = int(self.headers["Content-Length"])
            one.opened.append(json.loads(self.rfile.read(length)) | {"path": self.path})
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one.api = f"http://127.0.0.1:{server.server_port}"
        yield one
        server.shutdown()


def test_nothing_new_then_an_update_then_a_conflict(
    host: Host, vendor: Vendor, copy: Copy, tmp_path: Path
) -> None:
    (tmp_path / "setup.py").write_text(SETUP)
    customer = copy()
    customer.commit({"Makefile": f"setup:\n\t@{sys.executable} {tmp_path}/setup.py\n"})
    customer.git("remote", "add", "origin", host.origin)
    customer.git("push", "--quiet", "origin", "main")

    result = host.run()
    assert result.code == 0, result.output
    assert host.requests() == []

    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    for _ in range(2):
        result = host.run()
        assert result.code == 0, result.output
        assert host.requests() == ["Update the platform from v1.0.0 to v1.1.0"]
    assert git(host.origin, "show", "platform-update-v1.1.0:shared/new.py") == "new\n"
    assert git(host.origin, "rev-parse", "main") == customer.git("rev-parse", "HEAD")

    customer.commit({"shared/logging.py": LOGGING.replace("line 9\n", "line 9, mine\n")})
    customer.git("push", "--quiet", "origin", "main")
    vendor.release("v1.2.0", {"shared/logging.py": LOGGING.replace("line 9\n", "line 9, new\n")})
    for _ in range(2):
        result = host.run()
        assert result.code == 3, result.output
        assert "shared/logging.py" in result.output
        assert host.requests()[1:] == ["Conflicts in the platform's update from v1.0.0 to v1.2.0"]
    changed = git(host.origin, "diff", "--name-only", "main", "platform-update-v1.2.0-conflicts")
    assert changed == "docs/updates/v1.0.0-to-v1.2.0.md\n"
    report = git(host.origin, "show", f"platform-update-v1.2.0-conflicts:{changed.strip()}")
    assert "## In conflict\n\n- `shared/logging.py`" in report
    if host.opened:
        assert host.opened[1]["body"] == report
