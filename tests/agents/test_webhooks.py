"""Webhooks of finished runs are signed and sent to the hosts in the settings."""

import base64
import json

import httpx2
import pytest
from standardwebhooks import Webhook

from tests.agents.receiver import Received, receiving
from tests.agents.service import WEBHOOK_SECRET, Service


def notify(client: httpx2.Client) -> tuple[dict, Received]:
    """A run and its webhook."""
    with receiving() as (address, received):
        body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": f"{address}/done"}
        return client.post("/runs", json=body).json(), received.get(timeout=30)


def test_a_finished_run_is_told(service: Service, client: httpx2.Client) -> None:
    run, (path, headers, content) = notify(client)
    assert path == "/done"
    sent = json.loads(content)
    assert (sent["run_id"], sent["status"]) == (run["run_id"], "success")
    Webhook(service.env["AGENTS__WEBHOOK_SECRET"]).verify(content, headers)


def test_a_run_that_ends_before_it_begins_is_told(client: httpx2.Client) -> None:
    thread = client.post("/threads", json={}).json()["thread_id"]
    body = {"assistant_id": "sleeper", "input": {"messages": []}, "multitask_strategy": "enqueue"}
    place = f"/threads/{thread}/runs"
    first = client.post(place, json=body).json()["run_id"]
    with receiving() as (address, received):
        waiting = client.post(place, json={**body, "webhook": address}).json()["run_id"]
        for run in (waiting, first):
            client.post(f"{place}/{run}/cancel?wait=true")
        sent = json.loads(received.get(timeout=30).body)
    assert (sent["run_id"], sent["status"]) == (waiting, "interrupted")


def test_a_secret_without_the_prefix_is_the_key_itself() -> None:
    from apps.langgraph.src.core.runs.webhooks import sign

    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    assert sign(key.decode(), "1", 2, b"x") == sign(WEBHOOK_SECRET, "1", 2, b"x")


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "file:///etc/passwd",
        "http://[",
        "x",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/\n",
    ],
)
def test_what_cannot_or_may_not_be_told_is_refused(client: httpx2.Client, url: str) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": url}
    assert client.post("/runs", json=body).status_code == 422
