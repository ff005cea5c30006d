"""How `platform dev` starts, refuses to start, and stops."""

import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.waiting import wait_until
from tests.tools.dev import processes, run_dev


@pytest.fixture
def settings(tools_project: Path, tmp_path: Path) -> Path:
    """A folder with settings and without data, as before the first run."""
    shutil.copy2(tools_project / "platform.toml", tmp_path)
    shutil.copy2(tools_project / ".env.template", tmp_path)
    ports = zip(("API", "WEB", "LANGGRAPH"), free_ports(3), strict=True)
    (tmp_path / ".env").write_text("".join(f"PORTS__{name}={port}\n" for name, port in ports))
    return tmp_path


def test_everything_answers_and_ctrl_c_leaves_no_process(
    tools_project: Path, settings: Path
) -> None:
    with run_dev(tools_project, settings / "log", settings=settings) as dev:
        dev.ready()
        before_ready, _, _ = dev.log.read_text().partition("ready in")
        assert dev.addresses["web"] not in before_ready
        for service, path in (("web", "/"), ("web", "/api/health"), ("langgraph", "/ok")):
            assert dev.get(service, path)[0] == 200
        assert len(processes(tools_project)) > 3
        assert dev.stop(signal.SIGINT) == 0
        assert not processes(tools_project)
    assert not (settings / "data" / "dev.json").exists()


def test_one_service_can_run_alone(tools_project: Path, settings: Path) -> None:
    with run_dev(tools_project, settings / "log", "--only", "api", settings=settings) as dev:
        dev.ready()
        assert dev.get("api", "/health")[0] == 200
        assert "langgraph" not in dev.addresses
        assert len(processes(tools_project)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_other_end_leaves_a_process_either(
    tools_project: Path, settings: Path, number: signal.Signals
) -> None:
    with run_dev(tools_project, settings / "log", settings=settings) as dev:
        dev.ready()
        dev.stop(number)
        wait_until(lambda: not processes(tools_project), lambda: str(processes(tools_project)))


def test_the_first_password_is_shown_once_and_secrets_are_made(
    tools_project: Path, settings: Path
) -> None:
    shown = []
    for name in ("first", "second"):
        with run_dev(
            tools_project, settings / name, "--no-web", settings=settings, terminal=True
        ) as dev:
            dev.ready()
            shown.append(re.findall(r"password +(\S+)", dev.log.read_text()))
    assert [len(found) for found in shown] == [1, 0]
    assert re.search(r"(?m)^SECRET_KEY=[0-9a-f]{64}$", (settings / ".env").read_text())


def test_the_first_password_is_in_no_log(tools_project: Path, settings: Path) -> None:
    with run_dev(tools_project, settings / "log", "--no-web", settings=settings) as dev:
        dev.ready()
    assert dev.said("platform admin reset-password admin@")
    assert not dev.said("(shown once)")


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(
    tools_project: Path, settings: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (settings / ".env").open("a") as env:
            env.write(f"PORTS__API={port}\n")
        with run_dev(tools_project, settings / "log", settings=settings) as dev:
            assert dev.process.wait(60) == 1
    assert dev.said(f"Port {port} (api): in use by")
    assert dev.said(f"process {os.getpid()}")
    assert dev.said("PORTS__API=")
    assert not dev.said("Traceback"), dev.log.read_text()


def test_a_wrong_setting_stops_the_start_with_its_name(tools_project: Path, settings: Path) -> None:
    with (settings / ".env").open("a") as env:
        env.write("MODEL__PROVIDER=oracle\n")
    with run_dev(tools_project, settings / "log", settings=settings) as dev:
        assert dev.process.wait(60) == 2
    assert dev.said("MODEL__PROVIDER")
    assert not dev.said("Traceback"), dev.log.read_text()


def test_code_that_does_not_start_ends_everything_with_its_error(
    tools_project: Path, settings: Path
) -> None:
    app = tools_project / "apps/api/src/core/app.py"
    before = app.read_text()
    app.write_text(f"{before}\nraise RuntimeError('broken on purpose')\n")
    try:
        with run_dev(tools_project, settings / "log", settings=settings) as dev:
            assert dev.process.wait(120) == 1
            assert not processes(tools_project)
    finally:
        app.write_text(before)
    assert dev.said("RuntimeError: broken on purpose")
    assert not dev.said("Traceback"), dev.log.read_text()
    assert dev.said("apps/api/src/core/app.py")
    # The password of an administrator who was created on the way must not be lost.
    assert dev.said("password  ")
