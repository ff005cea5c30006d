"""A finished run is told to the hosts that the settings list, signed, until they answer."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import pytest

from tests.agents.service import TOKEN


@pytest.fixture
def receiver() -> Iterator[tuple[str, "queue.Queue[Any]"]]:
    """A server that notes what it gets; its address, and the messages."""
    received: queue.Queue[Any] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.put((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/done", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_finished_run_is_told(
    client: httpx2.Client, receiver: tuple[str, "queue.Queue[Any]"]
) -> None:
    url, received = receiver
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": url}
    run = client.post("/runs", json=body).json()
    headers, content = received.get(timeout=30)
    told = json.loads(content)
    assert (told["run_id"], told["status"]) == (run["run_id"], "success")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    digest = hmac.new(TOKEN.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("url", ["http://evil.example/", "file:///etc/passwd", "http://[", "x"])
def test_other_hosts_are_refused(client: httpx2.Client, url: str) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": url}
    assert client.post("/runs", json=body).status_code == 422
