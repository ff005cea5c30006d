"""The guides of a generated project: all commands work in their order, all links have a target."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.waiting import wait_for

DOCUMENTS = (
    "README.md",
    "docs/customer/quick-start.md",
    "docs/customer/development.md",
    "docs/customer/troubleshooting.md",
)
DEV = "uv run platform dev"
PORTS = {"9000": "API", "9001": "WEB", "6200": "LANGGRAPH"}


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """Free ports to use in place of the default ports in the documents."""
    return dict(zip(PORTS, map(str, free_ports(3)), strict=True))


@pytest.fixture(scope="module")
def project(prepare: Callable[[str], Path], ports: dict[str, str]) -> Path:
    """One project for all documents, as a reader has."""
    root = prepare("docs")
    with (root / ".env").open("a") as env:
        env.writelines(f"PORTS__{name}={ports[port]}\n" for port, name in PORTS.items())
    return root


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_works(project: Path, ports: dict[str, str], document: str) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", (project / document).read_text(), re.M | re.S)
    # Those of containers are run in tests/containers/.
    blocks = [block for block in blocks if not block.startswith("docker compose ")]
    with ExitStack() as stack:
        if not any(starts_dev(block) for block in blocks):
            stack.enter_context(running(project, DEV))
        for block in blocks:
            for default, port in ports.items():
                block = block.replace(f"127.0.0.1:{default}", f"127.0.0.1:{port}")
            if starts_dev(block):
                command, _, block = block.partition("\n")
                stack.enter_context(running(project, command))
            if block.strip():
                run(project, block)


def starts_dev(block: str) -> bool:
    return block.startswith(("make dev", DEV))


def run(project: Path, block: str) -> None:
    """Run a block as typed; an error in any line fails."""
    # Fail on HTTP errors too.
    script = block.replace("curl ", "curl --silent --show-error --fail-with-body ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}"


@contextmanager
def running(project: Path, command: str) -> Iterator[None]:
    """Keep `command` running, as in a second terminal; enter when it is ready."""
    log = project / "data" / "docs.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for((project / "data" / "dev.json").exists, process, log)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def test_every_link_has_a_target(project: Path) -> None:
    broken = []
    for document in (project / "README.md", *(project / "docs").rglob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{document.name}: {link}")
    assert not broken


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as git hosts generate them."""
    headings = re.findall(r"^#+ (.*)", document.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_code_of_the_guides_is_formatted(project: Path) -> None:
    pages = "\n".join(page.read_text() for page in (project / "docs").rglob("*.md"))
    files = re.findall(r"^cat > (\S+\.py) <<'PYTHON'\n(.*?)^PYTHON", pages, re.M | re.S)
    assert files
    for name, text in files:
        command = [".venv/bin/ruff", "format", "--diff", "--stdin-filename", name]
        done = subprocess.run(command, cwd=project, input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
