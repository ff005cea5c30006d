"""The scheduled update: a branch, a pull or merge request, a failure on conflicts."""

import http.server
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.update.conftest import PLATFORM, Customer, Result, Vendor, git, run

Copy = Callable[..., Customer]


@pytest.fixture
def host() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A git host's API: its address, and the requests that were opened."""
    opened: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            length = int(self.headers["Content-Length"])
            opened.append(json.loads(self.rfile.read(length)) | {"path": self.path})
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", opened
        server.shutdown()


@pytest.fixture
def customer(copy: Copy, vendor: Vendor, tmp_path: Path) -> Customer:
    """A project with an origin that may be pushed to, and an update to come."""
    customer = copy()
    git(tmp_path, "init", "--quiet", "--bare", tmp_path / "origin")
    git(tmp_path / "origin", "config", "receive.advertisePushOptions", "true")
    hook = tmp_path / "origin/hooks/pre-receive"
    hook.write_text('#!/bin/sh\nenv | grep GIT_PUSH_OPTION_ > "$PWD/options" || true\n')
    hook.chmod(0o755)
    customer.git("remote", "add", "origin", tmp_path / "origin")
    customer.git("push", "--quiet", "origin", "main")
    vendor.release("v1.1.0", {"shared/new.py": "new\n"})
    return customer


def offer(customer: Customer, tmp_path: Path, **environment: str) -> Result:
    """Run the module as the workflow does, with a `platform` beside its Python."""
    tools = tmp_path / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "platform.py").write_text(PLATFORM)
    platform = tools / "platform"
    platform.write_text(f'#!/bin/sh\nexec {sys.executable} -P {tools}/platform.py "$@"\n')
    platform.chmod(0o755)
    program = (
        f"import sys; sys.executable = {str(tools / 'python')!r}\n"
        "from platform_tools.update.offer import main; sys.exit(main())"
    )
    path = str(customer.root / "scripts/customer-tools")
    return run([sys.executable, "-P", "-c", program], customer.root, PYTHONPATH=path, **environment)


def test_a_pull_request_with_the_report(
    customer: Customer, tmp_path: Path, host: tuple[str, list[dict[str, str]]]
) -> None:
    address, opened = host
    names = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "acme/platform", "TOKEN": "t"}

    result = offer(customer, tmp_path, **names)

    assert result.code == 0, result.output
    assert [one["path"] for one in opened] == ["/repos/acme/platform/pulls"]
    assert (opened[0]["head"], opened[0]["base"]) == ("platform-update-v1.1.0", "main")
    assert "`shared/new.py`" in opened[0]["body"]
    assert git(tmp_path / "origin", "show", "platform-update-v1.1.0:shared/new.py") == "new\n"

    customer.git("reset", "--quiet", "--hard", "HEAD^")
    assert offer(customer, tmp_path, **names).code == 0
    assert len(opened) == 1


def test_a_merge_request_by_push_options(customer: Customer, tmp_path: Path) -> None:
    result = offer(customer, tmp_path, GITLAB_CI="true")

    assert result.code == 0, result.output
    options = (tmp_path / "origin/options").read_text()
    assert "=merge_request.create\n" in options
    assert "=merge_request.target=main\n" in options


def test_conflicts_fail(customer: Customer, tmp_path: Path) -> None:
    customer.commit({"shared/new.py": "mine\n"})

    result = offer(customer, tmp_path, GITLAB_CI="true")

    assert result.code == 3
    assert "shared/new.py" in result.output
    assert "platform-update" not in git(tmp_path / "origin", "branch", "--list")
