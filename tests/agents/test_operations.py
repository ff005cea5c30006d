"""Usage, cost and metrics, for operators."""

import math
import shutil
import time
from pathlib import Path

import httpx2

from tests.agents.service import HERE, PATIENCE, TOKEN, Service, running

# What the test agent `talker` uses in a run, and what its prices make of it.
TALKER = {"calls": 1, "input_tokens": 5, "output_tokens": 20, "cost": 20.000005}


def as_user(service: Service, name: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Platform-User": name}
    return httpx2.Client(base_url=service.url, headers=headers, timeout=30)


def read_metrics(service: Service) -> dict[str, float]:
    with as_user(service, "prometheus") as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("agent_"))
    return {series: float(value) for series, _, value in pairs}


def test_usage_and_cost_are_counted_by_run_user_and_model(service: Service) -> None:
    for name, count in (("payer", 2), ("saver", 1)):
        with as_user(service, name) as client:
            for _ in range(count):
                run = client.post("/talker/generate", json={"prompt": "x"}).json()
                assert run["usage"] == {"talker": TALKER}
                stored = client.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}").json()
                assert stored["usage"] == {"talker": TALKER}
    seen = read_metrics(service)
    labels = 'agent="talker",model="talker",user="payer"'
    assert math.isclose(seen[f"agent_cost_total{{{labels}}}"], 2 * TALKER["cost"])
    assert seen[f"agent_cost_total{{{labels.replace('payer', 'saver')}}}"] == TALKER["cost"]
    labels = 'agent="talker",kind="{}",model="talker",user="payer"'
    assert seen[f"agent_tokens_total{{{labels.format('input')}}}"] == 10
    assert seen[f"agent_tokens_total{{{labels.format('output')}}}"] == 40


def test_metrics_tell_of_runs_queue_and_first_tokens(tmp_path: Path) -> None:
    # A separate service: its metrics start at zero.
    with running(tmp_path, AGENTS__MAX_RUNS=1) as service:
        with as_user(service, "anna") as client:
            client.post("/talker/generate", json={"prompt": "x", "stream": True})
            client.post("/failing/generate", json={"prompt": "x"})
            body = {"assistant_id": "counter", "input": {"to": 1000}}
            first, second = (client.post("/runs", json=body).json() for _ in range(2))
            seen = read_metrics(service)
            for run in (second, first):
                place = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
                client.post(f"{place}/cancel", params={"wait": True})
        assert seen['agent_runs_total{agent="talker",status="success"}'] == 1
        assert seen['agent_runs_total{agent="failing",status="error"}'] == 1
        assert seen['agent_run_seconds_count{agent="talker"}'] == 1
        assert seen['agent_first_token_seconds_count{agent="talker"}'] == 1
        assert (seen["agent_runs_running"], seen["agent_runs_waiting"]) == (1, 1)
        assert seen["agent_queue_seconds_count"] == 3
        seen = read_metrics(service)
        assert (seen["agent_runs_running"], seen["agent_runs_waiting"]) == (0, 0)
        assert seen['agent_runs_total{agent="counter",status="interrupted"}'] == 1


def test_an_agent_whose_import_hangs_holds_up_nothing(tmp_path: Path) -> None:
    agents, begun = tmp_path / "agents", tmp_path / "begun"
    shutil.copytree(HERE / "agents/echo", agents / "echo")
    graph = f"import pathlib, threading\npathlib.Path({str(begun)!r}).touch()\n"
    with running(tmp_path, TEST_AGENTS=agents) as service:
        (agents / "hangs").mkdir()
        (agents / "hangs/graph.py").write_text(f"{graph}threading.Event().wait()\n")
        give_up = time.monotonic() + PATIENCE
        while not begun.exists():
            assert time.monotonic() < give_up, "the agent is not loaded"
            time.sleep(0.05)
        with as_user(service, "anna") as client:
            assert client.post("/echo/generate", json={"prompt": "x"}).status_code == 200
    # The service has stopped, or the block would not have ended.


def test_a_run_that_costs_too_much_ends_with_a_reason(client: httpx2.Client) -> None:
    response = client.post("/limited/generate", json={"prompt": "x"})
    assert response.status_code == 500
    error = response.json()["error"]
    assert error == {"error": "CostLimit", "message": "The run cost more than its limit of 100."}
    place = f"/threads/{response.json()['thread_id']}/runs/{response.json()['run_id']}"
    run = client.get(place).json()
    # The call that went beyond the limit is the last one, and is counted.
    used = run["usage"]["offline"]
    assert (run["status"], run["error"]) == ("error", error)
    assert used["cost"] == used["output_tokens"] > 100
    assert used["cost"] - used["output_tokens"] / used["calls"] <= 100
