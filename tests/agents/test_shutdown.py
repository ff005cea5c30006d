"""A service that stops leaves no client waiting; clients that can reconnect continue."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.agents.service import Service
from tests.support.waiting import wait_until

SLOW = {"to": 1000, "pause": 0.05}


@pytest.fixture
def stopping(tmp_path: Path) -> Iterator[Service]:
    """A running service that the test stops; again afterwards."""
    service = Service(tmp_path)
    service.migrate()
    service.start()
    yield service
    service.stop()


def test_readers_of_a_waiting_run_are_let_go(stopping: Service) -> None:
    with httpx2.Client(base_url=stopping.url, timeout=30) as client:
        thread = client.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "counter", "input": SLOW, "multitask_strategy": "enqueue"}
        place = f"/threads/{thread}/runs"
        client.post(place, json=body)
        waiting = client.post(place, json=body).json()["run_id"]
        begun = threading.Barrier(3)

        def read(path: str) -> str:
            with client.stream("GET", path) as response:
                begun.wait()
                return response.read().decode()

        with ThreadPoolExecutor(2) as pool:
            stream, join = (
                pool.submit(read, f"{place}/{waiting}/{what}") for what in ("stream", "join")
            )
            begun.wait()
            stopping.stop()
            assert set(stream.result().split("\n\n")) == {": alive", ""}
            with pytest.raises(httpx2.RemoteProtocolError):
                join.result()
    assert "Traceback" not in stopping.log.read_text()


def test_a_completion_that_is_cut_says_so(stopping: Service) -> None:
    messages = [{"role": "user", "content": "x"}]
    body = {"model": "sleeper", "stream": True, "messages": messages}
    with httpx2.stream(
        "POST", f"{stopping.url}/v1/chat/completions", json=body, timeout=30
    ) as said:
        lines = said.iter_lines()
        next(lines)
        stopping.stop()
        [last] = [line for line in lines if line.startswith("data: ")][-1:]
    assert "shutting down" in json.loads(last.removeprefix("data: "))["error"]["message"]


@pytest.mark.filterwarnings("ignore:Request failed, attempting reconnect")
def test_a_client_that_waits_gets_the_result_from_the_next_start(stopping: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=stopping.url)
    thread = client.threads.create()["thread_id"]
    values = {"to": 80, "pause": 0.05}
    with ThreadPoolExecutor(1) as pool:
        waited = pool.submit(client.runs.wait, thread, "counter", input=values)
        wait_until(lambda: client.runs.list(thread))
        [run] = client.runs.list(thread)
        # Once a second reader has the head of a response, the first one has.
        join = f"{stopping.url}/threads/{thread}/runs/{run['run_id']}/join"
        with httpx2.stream("GET", join, timeout=30):
            stopping.stop()
        stopping.start()
        assert waited.result(timeout=60)["counted"] == list(range(80))
