"""Webhooks of finished runs are signed and sent to the hosts in the settings."""

import base64
import json
import threading

import httpx2
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from tests.agents.receiver import PORTS, Received, receiving
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


def test_a_slow_receiver_delays_no_other(client: httpx2.Client) -> None:
    go = threading.Event()

    def hang() -> bytes:
        go.wait(30)
        return b""

    with receiving(PORTS[1], hang) as (slow, asked), receiving(PORTS[2]) as (quick, received):
        body = {"assistant_id": "echo", "input": {"messages": "x"}}
        for _ in range(12):
            client.post("/runs", json={**body, "webhook": slow})
        asked.get(timeout=30)
        last = client.post("/runs", json={**body, "webhook": quick}).json()
        # The slow one gets its first answers after this.
        assert json.loads(received.get(timeout=8).body)["run_id"] == last["run_id"]
        assert not go.is_set()
        go.set()
        run_ids = {json.loads(asked.get(timeout=30).body)["run_id"] for _ in range(11)}
    assert len(run_ids) == 11


def test_hosts_are_listed_with_their_port() -> None:
    from apps.langgraph.src.core.runs.webhooks import WebhookRefusedError, check_target
    from shared.settings import Agents

    secret = SecretStr(WEBHOOK_SECRET)
    settings = Agents(webhook_hosts=["a.example", "b.example:8443", "c.example:443"])
    settings.webhook_secret = secret
    for url in ("https://a.example/x", "http://a.example:80", "https://c.example"):
        check_target(url, settings)
    check_target("https://b.example:8443", settings)
    for url in ("https://a.example:8443", "https://b.example", "http://c.example"):
        with pytest.raises(WebhookRefusedError, match="does not list"):
            check_target(url, settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "file:///etc/passwd",
        "http://[",
        "x",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/",
        "http://127.0.0.1:1/",
        "http://127.0.0.1/\n",
    ],
)
def test_what_cannot_or_may_not_be_told_is_refused(client: httpx2.Client, url: str) -> None:
    body = {"assistant_id": "echo", "input": {"messages": "x"}, "webhook": url}
    assert client.post("/runs", json=body).status_code == 422
