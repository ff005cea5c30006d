"""Two replicas on one PostgreSQL: a client may use either, at any moment of a run."""

from collections.abc import Iterator

import httpx2
import psycopg
import pytest

from tests.agents.service import Service
from tests.agents.test_clients import check_copy
from tests.support.postgresql import new_database
from tests.support.waiting import wait_until

SLOW = {"to": 1000, "pause": 0.05}


@pytest.fixture(scope="module")
def replicas(
    postgresql_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    url = new_database(postgresql_url)
    root = tmp_path_factory.mktemp("replicas")
    settings = {"DATABASE__KIND": "postgresql", "DATABASE__URL": url}
    one, other = Service(root, **settings), Service(root, **settings)
    one.migrate()
    try:
        one.start()
        other.start()
        yield one, other
    finally:
        other.stop()
        one.stop()


@pytest.fixture
def clients(replicas: tuple[Service, Service]):
    from langgraph_sdk import get_sync_client

    return [get_sync_client(url=service.url) for service in replicas]


def test_a_stream_is_read_and_replayed_through_another_replica(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    run = one.runs.create(thread, "counter", input=SLOW, stream_mode="updates")["run_id"]
    live = other.runs.join_stream(thread, run)
    seen = [next(live) for _ in range(10)]
    one.runs.cancel(thread, run)
    seen += list(live)
    assert [part.event for part in seen] == ["metadata", *["updates"] * (len(seen) - 2), "end"]
    # From the start or half way, from either replica: the same events.
    for client in clients:
        assert list(client.runs.join_stream(thread, run)) == seen
        assert list(client.runs.join_stream(thread, run, last_event_id=seen[4].id)) == seen[5:]


def test_a_lost_stream_goes_on_through_another_replica(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    run = one.runs.create(thread, "counter", input=SLOW, stream_mode="updates")["run_id"]
    lost = one.runs.join_stream(thread, run)
    seen = [next(lost) for _ in range(5)]
    lost.close()
    rest = other.runs.join_stream(thread, run, last_event_id=seen[-1].id)
    seen += [next(rest) for _ in range(5)]
    one.runs.cancel(thread, run)
    seen += list(rest)
    counted = [part.data for part in seen if part.event == "updates"]
    assert counted == [{"step": {"counted": [number]}} for number in range(len(counted))]


def test_a_run_is_cancelled_through_another_replica(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    run = one.runs.create(thread, "counter", input=SLOW)["run_id"]
    other.runs.cancel(thread, run, wait=True)
    assert one.runs.get(thread, run)["status"] == "interrupted"
    assert one.threads.get(thread)["status"] == "interrupted"


def test_a_thread_has_one_queue_for_all_replicas(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    first = one.runs.create(thread, "counter", input={"to": 10, "pause": 0.05})["run_id"]
    second, third = (
        client.runs.create(thread, "counter", input={"to": to, "pause": 0})
        for client, to in ((other, 12), (one, 14))
    )
    assert (second["status"], third["status"]) == ("pending", "pending")
    assert other.runs.join(thread, third["run_id"])["counted"] == list(range(14))
    history = [state["metadata"]["run_id"] for state in one.threads.get_history(thread, limit=100)]
    assert list(dict.fromkeys(reversed(history))) == [first, second["run_id"], third["run_id"]]


def test_a_waiting_run_is_cancelled_through_another_replica(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    first = one.runs.create(thread, "counter", input=SLOW)["run_id"]
    waiting = one.runs.create(thread, "counter", input=SLOW, multitask_strategy="enqueue")["run_id"]
    for run in (waiting, first):
        other.runs.cancel(thread, run, wait=True)
    assert {run["status"] for run in one.runs.list(thread)} == {"interrupted"}


def test_a_thread_is_copied(clients) -> None:
    one, other = clients
    thread = one.threads.create(metadata={"topic": "copied"})["thread_id"]
    one.runs.wait(thread, "approval", input={"prompt": "ship"})
    check_copy(other, thread)


def test_a_run_is_undone_through_another_replica(clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    one.runs.wait(thread, "counter", input={"to": 2, "pause": 0})
    run = one.runs.create(thread, "counter", input=SLOW)["run_id"]
    next(part for part in one.runs.join_stream(thread, run) if part.event == "values")
    other.runs.cancel(thread, run, wait=True, action="rollback")
    assert one.threads.get_state(thread)["values"]["counted"] == [0, 1]
    assert len(one.runs.list(thread)) == 1


def test_a_thread_that_another_replica_deletes_leaves_nothing(replicas, clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    run = one.runs.create(thread, "counter", input=SLOW)["run_id"]
    next(part for part in one.runs.join_stream(thread, run) if part.event == "values")
    other.threads.delete(thread)
    metrics = f"{replicas[0].url}/metrics"
    wait_until(lambda: "\nagent_runs_running 0.0\n" in httpx2.get(metrics).text)
    with connected(replicas[0]) as database:
        for table in ("checkpoints", "checkpoint_writes", "checkpoint_blobs"):
            query = f"SELECT count(*) FROM {table} WHERE thread_id = %s"
            assert database.execute(query, (thread,)).fetchone() == (0,)


def test_a_thread_that_was_freed_while_a_run_was_queued_is_busy_again(replicas, clients) -> None:
    one, other = clients
    thread = one.threads.create()["thread_id"]
    first, second = (
        one.runs.create(thread, "counter", input=SLOW, multitask_strategy="enqueue")["run_id"]
        for _ in range(2)
    )
    with connected(replicas[0]) as database:
        # What the end of the first run does if it begins before the second one is committed.
        query = "UPDATE agent_threads SET status = 'idle' WHERE thread_id = %s"
        database.execute(query, (thread,))
    one.runs.cancel(thread, first, wait=True)
    next(part for part in other.runs.join_stream(thread, second) if part.event == "values")
    assert other.threads.get(thread)["status"] == "busy"
    one.runs.cancel(thread, second, wait=True)


def test_a_connection_that_was_closed_while_idle_is_opened_again(replicas, clients) -> None:
    one, _ = clients
    thread = one.threads.create()["thread_id"]
    one.runs.wait(thread, "counter", input={"to": 2, "pause": 0})
    with connected(replicas[0]) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert one.threads.get_state(thread)["values"]["counted"] == [0, 1]


def connected(service: Service) -> psycopg.Connection:
    return psycopg.connect(service.env["DATABASE__URL"].replace("+psycopg", ""))
