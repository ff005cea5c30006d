"""A finished run is told to the hosts that the settings list, signed, until they answer."""

import base64
import hashlib
import hmac
import json

import httpx2
import pytest

from tests.agents.receiver import receiving
from tests.agents.service import TOKEN


def test_a_finished_run_is_told(client: httpx2.Client) -> None:
    with receiving() as (address, received):
        body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": f"{address}/done"}
        run = client.post("/runs", json=body).json()
        path, headers, content = received.get(timeout=30)
    assert path == "/done"
    told = json.loads(content)
    assert (told["run_id"], told["status"]) == (run["run_id"], "success")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    digest = hmac.new(TOKEN.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("url", ["http://evil.example/", "file:///etc/passwd", "http://[", "x"])
def test_other_hosts_are_refused(client: httpx2.Client, url: str) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": url}
    assert client.post("/runs", json=body).status_code == 422
