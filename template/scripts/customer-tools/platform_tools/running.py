"""What runs on this machine: this project's `platform dev`, and who holds a port."""

import contextlib
import errno
import json
import os
import socket
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

STATE = "dev.json"


def write_state(data_dir: Path, state: dict[str, Any]) -> None:
    """Say in `data/dev.json` that `platform dev` is ready, and where; in one step."""
    temporary = data_dir / f".{STATE}.{os.getpid()}"
    temporary.write_text(json.dumps(state, indent=2) + "\n")
    temporary.replace(data_dir / STATE)


def read_state(data_dir: Path) -> dict[str, Any] | None:
    """The addresses and "pid" of this project's running `platform dev`, or None.

    A file that was left by a `platform dev` that was killed is not believed.
    """
    try:
        path = data_dir / STATE
        state: dict[str, Any] = json.loads(path.read_text())
        process = psutil.Process(state["pid"])
        # A process that is younger than the file only has the same number.
        if process.create_time() <= path.stat().st_mtime:
            return state
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        pass
    return None


class PortTakenError(Exception):
    """Something else listens on a port; the message says what."""


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1. Raises `PortTakenError`; `OSError` for any other reason."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(_holder(port)) from None
        raise


def free_port(after: int) -> int:
    """The first free port above `after`."""
    for port in range(after + 1, 65536):
        with contextlib.suppress(PortTakenError), listen(port):
            return port
    return 0


def _holder(port: int) -> str:
    """Who listens on `port`, as far as this user may see, such as "python (process 123)"."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and local.port == port and connection.status == psutil.CONN_LISTEN:
                process = psutil.Process(connection.pid) if connection.pid else None
                return f"{process.name()} (process {process.pid})" if process else "another user"
    return "another program"
