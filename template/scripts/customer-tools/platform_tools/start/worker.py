"""A worker of a Python service: uvicorn on a listening socket of `platform dev`.

    python -m platform_tools.start.worker APP SOCKET READY

SOCKET is the file descriptor of the socket, READY that of a pipe: the worker writes one byte when
the code has loaded and one when it accepts connections. It stops when standard input ends, so that
it does not outlive `platform dev`.
"""

import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path

import uvicorn

from shared.serving import DRAIN as DRAIN
from shared.serving import DrainingServer, config

# How long (seconds) a response, such as a stream, may take after `DRAIN`.
GRACE = 10


class Worker(DrainingServer):
    """A server that reports when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: int) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._report(b"L")
        await super().startup(sockets)
        self._report(b"R")
        os.close(self._ready)

    def _report(self, state: bytes) -> None:
        try:
            os.write(self._ready, state)
        except BrokenPipeError:
            # `platform dev` no longer waits for this worker: shut down as for a signal.
            self.should_exit = True


def main() -> int:
    """Serve until SIGTERM or the end of standard input. Returns 1 if the service cannot start."""
    app, listener, ready = sys.argv[1], socket.socket(fileno=int(sys.argv[2])), int(sys.argv[3])
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    if port := os.environ.get("DEBUG_PORT"):
        threading.Thread(target=_listen_to_debuggers, args=(int(port),), daemon=True).start()
    try:
        Worker(config(app, grace=GRACE), ready).run(sockets=[listener])
    except Exception as error:
        print(_explain(error), file=sys.stderr)
        return 1
    return 0


def _stop_with_parent() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _listen_to_debuggers(port: int) -> None:
    """Let a debugger attach, as soon as the worker that this one replaces gives the port up."""
    import debugpy

    while True:
        try:
            # A container publishes the port on loopback only; elsewhere it is not for others.
            debugpy.listen((os.environ.get("PORTS__BIND", "127.0.0.1"), port))
        except RuntimeError:
            time.sleep(1)
        else:
            return


def _explain(error: Exception) -> str:
    """The error with the lines of its traceback that are in this project."""
    root = Path.cwd()
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root)
        and ".venv" not in Path(frame.filename).parts
        and frame.filename != __file__
    ]
    lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
    return "".join(lines).rstrip()


if __name__ == "__main__":
    sys.exit(main())
