"""A service that is killed under load loses no run and repeats no finished step."""

import random
import threading
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.agents.service import Service
from tests.support.postgresql import new_database
from tests.support.waiting import wait_until

STEPS = 6
WRITERS = 4
ENDED = ("success", "error", "timeout", "interrupted")


class Load:
    """Clients that keep starting runs; `accepted` has those that the service has accepted."""

    def __init__(self, service: Service, journal: Path) -> None:
        self.accepted: dict[str, str] = {}
        self._service = service
        self._journal = journal
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        with httpx2.Client(base_url=self._service.url, timeout=5) as client:
            while not self._stop.wait(0.02):
                try:
                    thread = client.post("/threads", json={}).json()["thread_id"]
                    response = client.post(f"/threads/{thread}/runs", json=self._run(thread))
                    if response.status_code == 200:
                        self.accepted[thread] = response.json()["run_id"]
                except httpx2.TransportError:
                    continue  # the service is dead at the moment

    def _run(self, thread: str) -> dict[str, object]:
        values = {"name": thread, "to": STEPS, "pause": 0.02, "journal": str(self._journal)}
        return {"assistant_id": "counter", "input": values, "durability": "sync"}


KILLS = [
    pytest.param(10, id="10 kills"),
    pytest.param(100, id="100 kills", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
]


@pytest.mark.parametrize("count", KILLS)
def test_killed_under_load(database: dict[str, str], count: int, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    service = Service(tmp_path, **database, AGENTS__LEASE_SECONDS=3)
    service.migrate()
    service.start()
    moment = random.Random(count)
    with Load(service, journal) as load:
        for _ in range(count):
            enough = len(load.accepted) + 5
            wait_until(lambda enough=enough: len(load.accepted) >= enough)
            # The moment of a kill is the one thing that must not depend on a condition.
            threading.Event().wait(moment.uniform(0, 0.5))
            service.kill()
            service.start()
    with httpx2.Client(base_url=service.url, timeout=30) as client:
        runs = {}
        for thread, run in load.accepted.items():
            wait_until(lambda thread=thread, run=run: status(client, thread, run) in ENDED)
            runs[thread] = client.get(f"/threads/{thread}/runs/{run}").json()
        finished = [thread for thread, run in runs.items() if run["status"] == "success"]
        for thread in finished:
            values = client.get(f"/threads/{thread}/state").json()["values"]
            assert values["counted"] == list(range(STEPS))
    service.stop()
    assert all(run["status"] == "success" or run["error"]["message"] for run in runs.values())
    # A run may be given up when kills hit it again and again before it comes any further.
    errors = Counter(run["error"]["message"] for run in runs.values() if run["error"])
    assert len(finished) >= 0.9 * len(runs), errors
    executed = defaultdict(list)
    for line in journal.read_text().splitlines():
        thread, number, process = line.split()
        executed[thread].append((int(number), process))
    for thread in finished:
        numbers = [number for number, _ in executed[thread]]
        assert numbers == sorted(numbers), "a step ran again although a later one had begun"
        for (number, process), (after, next_process) in pairwise(executed[thread]):
            assert number != after or process != next_process, "a step ran twice without a kill"


def test_another_replica_takes_over(postgresql_url: str, tmp_path: Path) -> None:

    url = new_database(postgresql_url)
    settings = {
        "DATABASE__KIND": "postgresql",
        "DATABASE__URL": url,
        "AGENTS__LEASE_SECONDS": 2,
    }
    one, other = Service(tmp_path, **settings), Service(tmp_path, **settings)
    one.migrate()
    one.start()
    other.start()
    values = {"name": "x", "to": 30, "pause": 0.1, "journal": str(tmp_path / "journal")}
    with httpx2.Client(base_url=one.url, timeout=30) as client:
        thread = client.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "counter", "input": values}
        run = client.post(f"/threads/{thread}/runs", json=body).json()["run_id"]
        wait_until((tmp_path / "journal").exists)
    one.kill()
    with httpx2.Client(base_url=other.url, timeout=60) as client:
        joined = client.get(f"/threads/{thread}/runs/{run}/join").json()
    other.stop()
    assert joined["counted"] == list(range(30))
    processes = {line.split()[2] for line in (tmp_path / "journal").read_text().splitlines()}
    assert len(processes) == 2


def test_a_service_that_stops_hands_over(database: dict[str, str], tmp_path: Path) -> None:
    service = Service(tmp_path, **database, AGENTS__SHUTDOWN_SECONDS=0.2)
    service.migrate()
    service.start()
    values = {"name": "x", "to": 20, "pause": 0.1, "journal": str(tmp_path / "journal")}
    with httpx2.Client(base_url=service.url, timeout=30) as client:
        thread = client.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "counter", "input": values}
        run = client.post(f"/threads/{thread}/runs", json=body).json()["run_id"]
        wait_until((tmp_path / "journal").exists)
    service.stop()
    service.start()
    with httpx2.Client(base_url=service.url, timeout=60) as client:
        joined = client.get(f"/threads/{thread}/runs/{run}/join").json()
    service.stop()
    assert joined["counted"] == list(range(20))


def status(client: httpx2.Client, thread: str, run: str) -> str:
    response = client.get(f"/threads/{thread}/runs/{run}")
    assert response.status_code == 200, f"run lost: {response.text}"
    return response.json()["status"]


def test_runs_that_wait_for_their_thread_keep_their_turn(
    database: dict[str, str], tmp_path: Path
) -> None:
    service = Service(tmp_path, **database, AGENTS__LEASE_SECONDS=3)
    service.migrate()
    service.start()
    with httpx2.Client(base_url=service.url, timeout=60) as client:
        place = f"/threads/{client.post('/threads', json={}).json()['thread_id']}"
        runs = []
        for to in (20, 22, 24):
            body = {"assistant_id": "counter", "input": {"to": to, "pause": 0.05}}
            runs.append(client.post(f"{place}/runs", json=body).json())
        assert [run["status"] for run in runs] == ["running", "pending", "pending"]
        service.kill()
        service.start()
        values = client.get(f"{place}/runs/{runs[-1]['run_id']}/join").json()
        assert values["counted"] == list(range(24))
        history = client.get(f"{place}/history?limit=100").json()
        made = [state["metadata"]["run_id"] for state in reversed(history)]
    assert list(dict.fromkeys(made)) == [run["run_id"] for run in runs]
    service.stop()
