"""An HTTP server that records its requests."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.support.ports import free_ports

# The service's settings list these.
PORTS = free_ports(4)


class Received(NamedTuple):
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def receiving(
    port: int = PORTS[0], answer: Callable[[], bytes] = bytes
) -> Iterator[tuple[str, "queue.Queue[Received]"]]:
    """The address of a running server, and what it has received; `answer` returns its answers."""
    received: queue.Queue[Received] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.put(Received(self.path, dict(self.headers), body))
            self.send_response(200)
            content = answer()
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()
