"""Runs do not affect one another, and have limits."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.agents.service import Service, running
from tests.support.waiting import wait_until

EXITS = ["exits", "exits_in_thread", "panics", "leave", "leave_thread", "beside exits"]


@pytest.mark.parametrize("how", [*EXITS, "beside exits_in_thread", "beside panics"])
def test_an_agent_that_ends_its_process_ends_its_run(client: httpx2.Client, how: str) -> None:
    response = client.post("/rough/generate", json={"input": {"how": how}})
    assert response.status_code == 500
    error = response.json()["error"]
    assert error["error"] in ("SystemExit", "KeyboardInterrupt", "Panic")
    assert "rough/graph.py, line " in error["message"]
    assert client.post("/echo/generate", json={"prompt": "x"}).status_code == 200


def test_many_plain_functions_run_at_a_time(client: httpx2.Client) -> None:
    with ThreadPoolExecutor(40) as pool:
        body = {"input": {"how": "meets"}}
        runs = [pool.submit(client.post, "/rough/generate", json=body) for _ in range(40)]
    assert {run.result().json()["status"] for run in runs} == {"success"}


def test_a_limit_of_cost_needs_prices(client: httpx2.Client) -> None:
    made = client.post("/unpriced/generate", json={"prompt": "x"}).json()
    message = "The run has a limit of cost, and unknown has no price."
    assert made["error"] == {"error": "CostLimit", "message": message}
    run = client.get(f"/threads/{made['thread_id']}/runs/{made['run_id']}").json()
    assert run["usage"]["unknown"]["calls"] == 1


def test_the_platform_limits_the_steps_of_every_agent(tmp_path: Path) -> None:
    with (
        running(tmp_path, AGENTS__MAX_STEPS=5) as service,
        httpx2.Client(base_url=service.url, timeout=30) as client,
    ):
        body = {"assistant_id": "counter", "input": {"to": 10}}
        for config in ({}, {"recursion_limit": 100}):
            run = client.post("/runs/wait", json={**body, "config": config}).json()
            assert run["__error__"]["error"] == "StepLimit"
        # A limit in agent.toml overrides it.
        run = client.post("/limited/generate", json={"input": {}}).json()
        assert run["error"]["error"] == "StepLimit"
        states = client.post(f"/threads/{run['thread_id']}/history", json={"limit": 100}).json()
        assert len(states) > 20


def test_limits_hold_for_all_attempts_of_a_run(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.migrate()
    service.start()
    gate = tmp_path / "gate"
    with httpx2.Client(base_url=service.url, timeout=30) as client:
        body = {"assistant_id": "spender", "input": {"gate": str(gate)}}
        runs = [client.post("/runs", json=body).json() for _ in range(2)]
        for run in runs:
            state = f"/threads/{run['thread_id']}/state"
            wait_until(lambda state=state: client.get(state).json()["next"] == ["wait"])
    service.stop()
    long, other = (run["run_id"] for run in runs)
    with closing(sqlite3.connect(tmp_path / "data/agents.db")) as database, database:
        spent = "SELECT seconds FROM agent_runs WHERE status = 'pending' AND seconds > 0"
        assert len(database.execute(spent).fetchall()) == 2
        database.execute("UPDATE agent_runs SET seconds = 1e6 WHERE run_id = ?", [long])
    gate.touch()
    service.start()
    try:
        with httpx2.Client(base_url=service.url, timeout=30) as client:
            ended = {}
            for run in runs:
                place = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
                client.get(f"{place}/join")
                ended[run["run_id"]] = client.get(place).json()
            metrics = client.get("/metrics").text
    finally:
        service.stop()
    assert (ended[long]["status"], ended[long]["usage"]["offline"]["calls"]) == ("timeout", 1)
    assert (ended[other]["status"], ended[other]["usage"]["offline"]["calls"]) == ("success", 2)
    # Neither run came from the queue.
    assert "agent_queue_seconds_count 0.0" in metrics
