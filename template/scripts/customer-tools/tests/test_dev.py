"""The parts of `platform dev`: which file concerns which service, processes, ports."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from platform_tools.errors import PlatformError
from platform_tools.start import running
from platform_tools.start.dev import open_ports
from platform_tools.start.output import say
from platform_tools.start.process import Process
from platform_tools.start.watch import affected


@pytest.mark.parametrize(
    ("path", "services"),
    [
        ("apps/api/src/custom/routes.py", {"api"}),
        ("apps/langgraph/src/core/app.py", {"langgraph"}),
        ("apps/langgraph/src/agents/marketing-swarm/graph.py", set()),
        ("apps/langgraph/tests/test_app.py", set()),
        ("shared/settings/ports.py", {"api", "langgraph"}),
        ("apps/api/src/core/notes.md", set()),
    ],
)
def test_a_change_reloads_the_services_it_concerns(path: str, services: set[str]) -> None:
    assert affected(Path(path)) == services


async def _started(code: str) -> tuple[Process, list[str]]:
    lines: list[str] = []
    first = asyncio.Event()

    def on_line(line: str) -> None:
        lines.append(line)
        first.set()

    process = await Process.start([sys.executable, "-c", code], on_line)
    await asyncio.wait_for(first.wait(), 30)
    return process, lines


CHILD_OF_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


async def test_what_a_killed_process_started_is_killed_too() -> None:
    process, lines = await _started(CHILD_OF_A_CHILD)
    grandchild = psutil.Process(int(lines[0]))
    os.kill(process.pid, 9)
    assert await process.wait() == -9
    _, alive = psutil.wait_procs([grandchild], timeout=30)
    assert not alive


async def test_a_process_that_ignores_sigterm_is_killed_after_its_grace() -> None:
    process, _ = await _started(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)"
    )
    await process.stop(grace=0.1)
    assert await process.wait() == -9
    assert process not in Process.alive


async def test_a_last_line_without_an_end_is_not_lost() -> None:
    process, lines = await _started("print('one\\ntwo', end='')")
    assert await process.wait() == 0
    assert lines == ["one", "two"]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(taken: int, tmp_path: Path) -> None:
    with pytest.raises(PlatformError) as error:
        open_ports({"api": taken}, "127.0.0.1", tmp_path)
    assert f"Port {taken} (api)" in error.value.hint
    assert f"process {os.getpid()}" in error.value.hint
    assert "PORTS__API=" in error.value.hint


def test_a_second_dev_of_the_project_is_refused(tmp_path: Path) -> None:
    running.write_state(tmp_path, {"pid": os.getpid()})
    with pytest.raises(PlatformError, match="already running"):
        open_ports({"api": 0}, "127.0.0.1", tmp_path)


def test_what_a_killed_dev_left_is_not_believed(tmp_path: Path) -> None:
    gone = psutil.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / running.STATE).write_text(json.dumps({"pid": gone.pid}))
    assert running.read_state(tmp_path) is None


def test_the_output_of_a_service_does_not_change_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "\x1b[32mready\x1b[0m in 3 s \x1b]0;title\x07\x1b[2J"
    say(line, name="web")
    [shown] = capsys.readouterr().out.splitlines()
    assert shown.endswith("│ ready in 3 s \\x1b]0;title\\x07\\x1b[2J")

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    say(line, name="web")
    assert "\x1b[32mready\x1b[0m in" in capsys.readouterr().out
