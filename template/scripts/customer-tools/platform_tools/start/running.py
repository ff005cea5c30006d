"""What runs on this machine: the project's `platform dev`, and the programs that use its ports."""

import contextlib
import errno
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

STATE = "dev.json"


def write_state(data_dir: Path, state: dict[str, Any]) -> None:
    """Write `data/dev.json` atomically: addresses and process ID of a ready `platform dev`."""
    temporary = data_dir / f".{STATE}.{os.getpid()}"
    temporary.write_text(json.dumps(state, indent=2) + "\n")
    temporary.replace(data_dir / STATE)


def read_state(data_dir: Path) -> dict[str, Any] | None:
    """The addresses and "pid" of this project's running `platform dev`, or None.

    The file of a killed `platform dev` is ignored.
    """
    try:
        path = data_dir / STATE
        state: dict[str, Any] = json.loads(path.read_text())
        process = psutil.Process(state["pid"])
        # A younger process has the same ID by chance.
        if process.create_time() <= path.stat().st_mtime:
            return state
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        pass
    return None


@dataclass(frozen=True)
class PortProblem:
    """Why a service cannot listen on its port, and what to do."""

    service: str
    port: int
    message: str
    fix: str


def listen(ports: dict[str, int], host: str) -> tuple[dict[str, socket.socket], list[PortProblem]]:
    """Open the ports of services on `host`: the listening sockets by service, and the problems."""
    listeners: dict[str, socket.socket] = {}
    problems = []
    free = max(ports.values(), default=0)
    for service, port in ports.items():
        try:
            listeners[service] = socket.create_server((host, port), backlog=2048)
        except OSError as error:
            free = _free_port(free, host)
            variable = f"PORTS__{service.upper()}={free}"
            if error.errno == errno.EADDRINUSE:
                message = f"in use by {_holder(port)}"
                fix = f"Stop it, or put {variable} into .env."
            else:
                message, fix = str(error), f"Put {variable} into .env."
            problems.append(PortProblem(service, port, message, fix))
    return listeners, problems


def _free_port(after: int, host: str) -> int:
    for port in range(after + 1, 65536):
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    return 0


def _holder(port: int) -> str:
    """The program that listens on `port`, such as "python (process 123)", as far as visible."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and local.port == port and connection.status == psutil.CONN_LISTEN:
                process = psutil.Process(connection.pid) if connection.pid else None
                return f"{process.name()} (process {process.pid})" if process else "another user"
    return "another program"
