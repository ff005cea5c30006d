"""Options of the SDK's methods, with the values of LangGraph's development server."""

import re

import httpx2
import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient
from langgraph_sdk.errors import BadRequestError, NotFoundError

from tests.agents.service import Service

HELLO = {"messages": [{"role": "user", "content": "hello"}]}
LONG = {"to": 1000, "pause": 0.05}


@pytest.fixture
def sdk(service: Service) -> SyncLangGraphClient:
    """LangGraph's client."""
    return get_sync_client(url=service.url)


def test_runs_are_started_in_one_request(sdk: SyncLangGraphClient) -> None:
    runs = sdk.runs.create_batch([{"assistant_id": "echo", "input": HELLO}] * 2)
    assert len({run["thread_id"] for run in runs}) == 2
    for run in runs:
        assert sdk.runs.join(run["thread_id"], run["run_id"])["messages"][-1]["content"]


def test_runs_of_a_thread_are_cancelled_in_one_request(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    runs = [sdk.runs.create(thread, "counter", input=LONG)["run_id"] for _ in range(3)]
    sdk.runs.cancel_many(thread_id=thread, run_ids=runs[:1] + runs[2:])
    assert sdk.runs.get(thread, runs[1])["status"] in ("pending", "running")
    sdk.runs.cancel_many(thread_id=thread, run_ids=runs)
    for run in runs:
        sdk.runs.join(thread, run)
        assert sdk.runs.get(thread, run)["status"] == "interrupted"
    with pytest.raises(NotFoundError, match="No runs found to cancel"):
        sdk.runs.cancel_many(thread_id=thread, run_ids=runs)


def test_runs_of_a_thread_are_undone_in_one_request(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    runs = [sdk.runs.create(thread, "counter", input=LONG)["run_id"] for _ in range(3)]
    sdk.runs.cancel_many(thread_id=thread, run_ids=runs, action="rollback")
    assert sdk.runs.list(thread) == []
    assert sdk.threads.get_state(thread)["values"] == {}


def test_waiting_runs_are_cancelled_in_one_request(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    first, *others = (sdk.runs.create(thread, "counter", input=LONG)["run_id"] for _ in range(3))
    sdk.runs.cancel_many(status="pending")
    assert [sdk.runs.get(thread, run)["status"] for run in others] == ["interrupted"] * 2
    assert sdk.runs.get(thread, first)["status"] == "running"
    sdk.runs.cancel(thread, first)


def test_events_of_langchain_are_streamed(sdk: SyncLangGraphClient) -> None:
    modes = ["events", "values", "messages-tuple"]
    parts = list(sdk.runs.stream(None, "talker", input=HELLO, stream_mode=modes))
    kinds = {part.data["event"] for part in parts if part.event == "events"}
    assert {"on_chain_start", "on_chain_stream", "on_chat_model_stream", "on_chain_end"} <= kinds
    assert sum(part.event == "messages" for part in parts) >= 20
    assert [part for part in parts if part.event == "values"][-1].data["messages"][-1]["content"]
    asked = list(sdk.runs.stream(None, "nested", input={"text": "x"}, stream_mode="events"))
    assert sdk.threads.search(limit=1)
    assert asked[-1].data["status"] == "interrupted"
    nested = sdk.runs.stream(
        None,
        "nested",
        input={"text": "x"},
        stream_mode=["events", "updates"],
        stream_subgraphs=True,
    )
    assert any(part.event.startswith("updates|inner:") for part in nested)


def test_the_metadata_of_a_run_is_in_its_thread_and_its_states(sdk: SyncLangGraphClient) -> None:
    thread = "6d1a3f0e-8a41-4f2c-9a53-3c2f1d1f9b11"
    labels = {"topic": "billing"}
    sdk.runs.wait(thread, "echo", input=HELLO, metadata=labels, if_not_exists="create")
    found = {"graph_id": "echo", **labels}
    assert found.items() <= sdk.threads.get(thread)["metadata"].items()
    assert found.items() <= sdk.threads.get_state(thread)["metadata"].items()
    assert len(sdk.threads.get_history(thread, metadata=labels)) == 3
    assert sdk.threads.get_history(thread, metadata={"topic": "other"}) == []


def test_a_run_starts_at_the_checkpoint_of_its_configuration(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    sdk.runs.wait(thread, "echo", input=HELLO)
    first = sdk.threads.get_history(thread)[-1]["checkpoint"]["checkpoint_id"]
    other = {"messages": [{"role": "user", "content": "other"}]}
    place = {"configurable": {"checkpoint_id": first}}
    values = sdk.runs.wait(thread, "echo", input=other, config=place)
    assert [message["content"] for message in values["messages"]] == ["other", "echo: other"]


def test_a_thread_is_changed_without_being_returned(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()
    assert thread["state_updated_at"]
    assert sdk.threads.update(thread["thread_id"], metadata={"a": 1}, return_minimal=True) is None
    assert sdk.threads.get(thread["thread_id"])["metadata"] == {"a": 1}


def test_threads_and_runs_are_read_in_parts(
    sdk: SyncLangGraphClient, client: httpx2.Client
) -> None:
    labels = {"topic": "pages"}
    for _ in range(3):
        thread = sdk.threads.create(metadata=labels)["thread_id"]
    query = {"metadata": labels, "limit": 2, "select": ["thread_id"]}
    first = client.post("/threads/search", json=query)
    assert [one.keys() for one in first.json()] == [{"thread_id"}] * 2
    assert first.headers["X-Pagination-Next"] == "2"
    last = client.post("/threads/search", json={**query, "offset": 2})
    assert "X-Pagination-Next" not in last.headers
    assert last.headers["X-Pagination-Total"] == "3"
    assert client.post("/threads/search", json={"select": ["x"]}).status_code == 422
    sdk.runs.wait(thread, "echo", input=HELLO)
    assert sdk.runs.list(thread, select=["status"]) == [{"status": "success"}]


def test_a_run_ends_with_the_client_that_joins_it(
    sdk: SyncLangGraphClient, service: Service
) -> None:
    thread = sdk.threads.create()["thread_id"]
    run = sdk.runs.create(thread, "sleeper", input=HELLO)["run_id"]
    address = f"{service.url}/threads/{thread}/runs/{run}/join?cancel_on_disconnect=true"
    with pytest.raises(httpx2.TimeoutException):
        httpx2.get(address, timeout=2)
    sdk.runs.join(thread, run)
    assert sdk.runs.get(thread, run)["status"] == "interrupted"


def test_an_event_id_of_another_server_replays_the_stream(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    run = sdk.runs.create(thread, "echo", input=HELLO)["run_id"]
    sdk.runs.join(thread, run)
    every = list(sdk.runs.join_stream(thread, run))
    for strange in ("1724342400000-0", "x", "-1", "9" * 30):
        assert list(sdk.runs.join_stream(thread, run, last_event_id=strange)) == every


def test_a_stream_is_joined_for_some_modes(sdk: SyncLangGraphClient, client: httpx2.Client) -> None:
    thread = sdk.threads.create()["thread_id"]
    modes = ["updates", "values"]
    run = sdk.runs.create(thread, "echo", input=HELLO, stream_mode=modes)["run_id"]
    sdk.runs.join(thread, run)

    def seen(query: str) -> set[str]:
        text = client.get(f"/threads/{thread}/runs/{run}/stream?{query}").text
        return set(re.findall("^event: (.+)$", text, re.MULTILINE)) - {"metadata", "end"}

    assert seen("stream_mode=updates") == seen('stream_mode=["updates"]') == {"updates"}
    both = seen("stream_mode=updates&stream_mode=values")
    assert both == seen('stream_mode=["updates","values"]') == set(modes)
    assert seen("stream_mode=") == seen("") == set(modes)


def test_a_state_that_cannot_be_written_is_a_bad_request(sdk: SyncLangGraphClient) -> None:
    thread = sdk.threads.create()["thread_id"]
    with pytest.raises(BadRequestError, match="no associated graph"):
        sdk.threads.update_state(thread, HELLO)
    sdk.runs.wait(thread, "echo", input=HELLO)
    with pytest.raises(BadRequestError, match="Node nobody does not exist"):
        sdk.threads.update_state(thread, HELLO, as_node="nobody")
