"""Unmodified clients on the running service: LangGraph's SDKs, RemoteGraph, OpenAI's."""

import asyncio
from uuid import uuid4

import pytest

from tests.agents.service import Service

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


def last_text(values: dict) -> str:
    return values["messages"][-1]["content"]


def test_langgraph_sdk(service: Service) -> None:
    from langgraph_sdk import get_client

    async def main() -> None:
        client = get_client(url=service.url)
        assistants = {one["assistant_id"]: one for one in await client.assistants.search(limit=100)}
        assert assistants["echo"]["metadata"]["error"] is None
        assert "not today" in assistants["broken"]["metadata"]["error"]
        assert (await client.assistants.get("echo"))["graph_id"] == "echo"
        assert await client.assistants.count() == len(assistants)
        assert (await client.assistants.get_graph("echo", xray=True))["nodes"]
        assert (await client.assistants.get_schemas("counter"))["input_schema"]["properties"]["to"]
        thread = await client.threads.create(metadata={"topic": "greeting"})
        modes = ["values", "updates", "messages-tuple", "custom", "debug"]
        parts = [
            part
            async for part in client.runs.stream(
                thread["thread_id"], "talker", input=HELLO, stream_mode=modes
            )
        ]
        assert parts[0].event == "metadata"
        assert parts[-1].event == "end"
        assert sum(part.event == "messages" for part in parts) >= 20
        assert {"values", "updates", "debug"} <= {part.event for part in parts}
        await client.threads.update(thread["thread_id"], metadata={"lang": "en"})
        assert await client.threads.count(metadata={"topic": "greeting", "lang": "en"}) == 1
        found = await client.threads.search(metadata={"topic": "greeting"})
        assert found[0]["values"] == (await client.threads.get_state(thread["thread_id"]))["values"]
        await client.threads.update_state(
            thread["thread_id"], {"messages": [{"role": "user", "content": "added"}]}
        )
        history = await client.threads.get_history(thread["thread_id"])
        assert last_text(history[0]["values"]) == "added"
        assert last_text(await client.runs.wait(None, "echo", input=HELLO)) == "echo: hello"
        await client.threads.delete(thread["thread_id"])
        assert await client.threads.search(metadata={"topic": "greeting"}) == []

    asyncio.run(main())


def test_langgraph_sdk_interrupts(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    asked = client.runs.wait(thread, "approval", input={"prompt": "ship"})
    assert asked["__interrupt__"][0]["value"] == {"approve": "SHIP"}
    assert client.threads.get(thread)["status"] == "interrupted"
    done = client.runs.wait(thread, "approval", command={"resume": "no"})
    assert done["verdict"] == "no"
    assert client.threads.get(thread)["status"] == "idle"
    client.runs.wait(thread, "approval", input={"prompt": "x"}, interrupt_before=["approve"])
    assert client.threads.get_state(thread)["next"] == ["approve"]


def test_langgraph_sdk_background_runs(service: Service) -> None:
    from langgraph_sdk import get_sync_client
    from langgraph_sdk.errors import ConflictError

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    values = {"to": 20, "pause": 0.05}
    run = client.runs.create(thread, "counter", input=values, stream_mode="updates")
    with pytest.raises(ConflictError):
        client.runs.create(thread, "counter", input=values, multitask_strategy="reject")
    queued = client.runs.create(thread, "counter", input={"to": 22, "pause": 0})
    assert queued["status"] == "pending"
    parts = list(client.runs.join_stream(thread, run["run_id"]))
    assert [part.event for part in parts] == ["metadata", *["updates"] * 20, "end"]
    again = list(client.runs.join_stream(thread, run["run_id"], last_event_id=parts[9].id))
    assert again == parts[10:]
    assert client.runs.join(thread, queued["run_id"])["counted"] == list(range(22))
    long = client.runs.create(thread, "counter", input={"to": 1000, "pause": 0.05})
    client.runs.cancel(thread, long["run_id"], wait=True)
    assert client.runs.get(thread, long["run_id"])["status"] == "interrupted"
    assert [one["run_id"] for one in client.runs.list(thread)] == [
        long["run_id"],
        queued["run_id"],
        run["run_id"],
    ]


def test_a_run_on_a_thread_of_its_own_is_cancelled(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    run = client.runs.create(None, "counter", input={"to": 1000, "pause": 0.05})
    thread = run["thread_id"]
    next(part for part in client.runs.join_stream(thread, run["run_id"]) if part.event == "values")
    client.runs.cancel(thread, run["run_id"], wait=True)
    # It can continue: the thread has the state and the next step.
    assert client.threads.get(thread)["status"] == "interrupted"
    assert client.threads.get_state(thread)["next"] == ["step"]


@pytest.mark.parametrize("strategy", ["interrupt", "rollback"])
def test_langgraph_sdk_a_run_that_takes_over(service: Service, strategy: str) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    client.runs.wait(thread, "counter", input={"to": 2, "pause": 0})
    first = client.runs.create(thread, "counter", input={"to": 1000, "pause": 0.05})
    next(
        part for part in client.runs.join_stream(thread, first["run_id"]) if part.event == "values"
    )
    values = client.runs.wait(
        thread, "counter", input={"to": 3, "pause": 0}, multitask_strategy=strategy
    )
    runs = [run["run_id"] for run in client.runs.list(thread)]
    assert (first["run_id"] in runs) == (strategy == "interrupt")
    assert values["counted"][:3] == [0, 1, 2]
    if strategy == "rollback":
        assert len(values["counted"]) == 3, "it went on from where the other had begun"


def test_langgraph_sdk_rolls_back(service: Service) -> None:
    from langgraph_sdk import get_sync_client
    from langgraph_sdk.errors import NotFoundError

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    for before in ({}, {"messages": [{"role": "user", "content": "kept"}]}):
        if before:
            client.runs.wait(thread, "echo", input=before)
        kept = client.threads.get_state(thread)["values"]
        run = client.runs.create(thread, "counter", input={"to": 1000, "pause": 0.05})["run_id"]
        next(part for part in client.runs.join_stream(thread, run) if part.event == "values")
        client.runs.cancel(thread, run, wait=True, action="rollback")
        assert client.threads.get_state(thread)["values"] == kept
        assert client.threads.get(thread)["status"] == "idle"
        with pytest.raises(NotFoundError):
            client.runs.get(thread, run)


def test_langgraph_sdk_undoes_what_runs_and_what_waits(service: Service) -> None:
    from langgraph_sdk import get_sync_client
    from langgraph_sdk.errors import ConflictError

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    values = {"to": 1000, "pause": 0.05}
    first, *_ = [
        client.runs.create(thread, "counter", input=values, multitask_strategy="enqueue")
        for _ in range(3)
    ]
    with pytest.raises(ConflictError):
        client.runs.cancel(thread, first["run_id"], action="rollback")
    done = client.runs.wait(
        thread, "counter", input={"to": 2, "pause": 0}, multitask_strategy="rollback"
    )
    assert done["counted"] == [0, 1]
    assert len(client.runs.list(thread)) == 1


def test_langgraph_sdk_copies_a_thread(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    thread = client.threads.create(metadata={"topic": "copied"})["thread_id"]
    client.runs.wait(thread, "approval", input={"prompt": "ship"})
    check_copy(client, thread)


def check_copy(client, thread: str) -> None:
    """A copy of an interrupted thread of `approval` is equal and independent."""
    copied = client.threads.copy(thread)
    place = copied["thread_id"]
    assert (copied["status"], copied["metadata"]["topic"]) == ("interrupted", "copied")
    old, new = (client.threads.get_history(one, limit=100) for one in (thread, place))
    assert [state["values"] for state in new] == [state["values"] for state in old]
    assert [state["interrupts"] for state in new] == [state["interrupts"] for state in old]
    assert client.runs.wait(place, "approval", command={"resume": "no"})["verdict"] == "no"
    assert client.threads.get(thread)["status"] == "interrupted"
    client.threads.delete(place)
    assert client.runs.wait(thread, "approval", command={"resume": "yes"})["verdict"] == "yes"


def test_langgraph_sdk_finds_threads_by_agent_and_by_nested_metadata(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    topic = str(uuid4())
    labels = {"topic": topic, "customer": {"id": 7, "tags": ["new", "vip"]}}
    thread = client.threads.create(metadata=labels)["thread_id"]
    client.runs.wait(thread, "echo", input=HELLO)
    for found in ({"graph_id": "echo"}, {"customer": {"id": 7}}, {"customer": {"tags": ["vip"]}}):
        [one] = client.threads.search(metadata={"topic": topic, **found})
        assert one["thread_id"] == thread
        assert client.threads.count(metadata={"topic": topic, **found}) == 1
    for other in ({"graph_id": "talker"}, {"customer": {"id": True}}, {"customer": {"tags": [""]}}):
        assert client.threads.search(metadata={"topic": topic, **other}) == []


def test_langgraph_sdk_is_told_of_a_checkpoint_that_is_not_there(service: Service) -> None:
    from langgraph_sdk import get_sync_client
    from langgraph_sdk.errors import NotFoundError

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    client.runs.wait(thread, "echo", input=HELLO)
    before = client.threads.get_state(thread)
    for place in (thread, None):
        with pytest.raises(NotFoundError):
            client.runs.create(place, "echo", input=HELLO, checkpoint_id=str(uuid4()))
    with pytest.raises(NotFoundError):
        client.runs.create(str(uuid4()), "echo", checkpoint_id=str(uuid4()), if_not_exists="create")
    with pytest.raises(NotFoundError):
        client.threads.update_state(thread, HELLO, checkpoint_id=str(uuid4()))
    assert client.threads.get_state(thread) == before
    client.runs.wait(thread, "echo", checkpoint=before["checkpoint"])


def test_langgraph_sdk_continues_from_a_checkpoint_of_a_subgraph(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    thread = client.threads.create()["thread_id"]
    before = client.runs.wait(thread, "steps", input={"first": []})
    [task] = [
        task
        for state in client.threads.get_history(thread)
        for task in state["tasks"]
        if task["checkpoint"]
    ]
    inner = client.threads.get_history(thread, checkpoint=task["checkpoint"])
    [place] = [state["checkpoint"] for state in inner if state["next"] == ["two"]]
    after = client.runs.wait(thread, "steps", checkpoint=place)
    assert after["first"] == before["first"]
    assert after["second"] != before["second"]


def test_langgraph_sdk_sorts_threads_and_assistants(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=service.url)
    topic = {"topic": str(uuid4())}
    old, new = (client.threads.create(metadata=topic)["thread_id"] for _ in range(2))
    client.runs.wait(old, "echo", input=HELLO)

    def found(**order: str) -> list[str]:
        return [one["thread_id"] for one in client.threads.search(metadata=topic, **order)]

    assert found() == found(sort_by="updated_at") == [old, new]
    assert found(sort_by="created_at") == [new, old]
    assert found(sort_by="state_updated_at", sort_order="asc") == [new, old]
    names = [one["assistant_id"] for one in client.assistants.search(sort_by="graph_id")]
    assert names == sorted(names, reverse=True)


def test_a_run_ends_with_the_client_that_waits_for_it(service: Service) -> None:
    from langgraph_sdk import get_sync_client

    thread = get_sync_client(url=service.url).threads.create()["thread_id"]
    impatient = get_sync_client(url=service.url, timeout=0.5)
    with pytest.raises(Exception, match="timed out"):
        impatient.runs.wait(thread, "sleeper", input=HELLO, on_disconnect="cancel")
    client = get_sync_client(url=service.url)
    [run] = client.runs.list(thread)
    client.runs.join(thread, run["run_id"])
    assert client.runs.get(thread, run["run_id"])["status"] == "interrupted"


def test_langgraph_sdk_is_told_what_there_is_not(service: Service) -> None:
    from langgraph_sdk import get_client
    from langgraph_sdk.errors import NotFoundError, UnprocessableEntityError

    async def main() -> None:
        client = get_client(url=service.url)
        thread = (await client.threads.create())["thread_id"]
        absent = [
            (client.assistants.update("echo", name="x"), "Agents are folders"),
            (client.assistants.delete("echo"), "Agents are folders"),
            (client.assistants.get_versions("echo"), "Agents are folders"),
            (client.assistants.set_latest("echo", 1), "Agents are folders"),
            (client.crons.create("echo", schedule="0 * * * *"), "no crons"),
            (client.crons.create_for_thread(thread, "echo", schedule="0 * * * *"), "no crons"),
            (client.crons.search(), "no crons"),
            (client.crons.delete("x"), "no crons"),
            (client.store.put_item(["a"], "b", {}), "no store"),
            (client.store.get_item(["a"], "b"), "no store"),
            (client.store.search_items(["a"]), "no store"),
            (client.store.list_namespaces(), "no store"),
            (client.threads.prune([thread]), "not pruned"),
        ]
        for call, reason in absent:
            with pytest.raises(NotFoundError, match=reason):
                await call
        with pytest.raises(NotFoundError, match="Only runs are streamed"):
            async for _ in await client.threads.join_stream(thread):
                pass
        refused = [
            client.runs.create(thread, "echo", input=HELLO, after_seconds=60),
            client.threads.create(ttl=60),
            client.threads.create(graph_id="echo", supersteps=[{"updates": []}]),
            client.threads.search(values={"a": 1}),
        ]
        for call in refused:
            with pytest.raises(UnprocessableEntityError) as caught:
                await call
            assert "does not do that" in str(caught.value.body)

    asyncio.run(main())


def test_openai_client(service: Service) -> None:
    from openai import OpenAI

    client = OpenAI(base_url=f"{service.url}/v1", api_key=service.env["SERVICE_TOKEN"])
    assert {"echo", "talker"} <= {model.id for model in client.models.list()}
    whole = client.chat.completions.create(model="talker", messages=HELLO["messages"])
    assert whole.usage.completion_tokens == 20
    chunks = list(
        client.chat.completions.create(
            model="talker",
            messages=HELLO["messages"],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(deltas) == whole.choices[0].message.content
    assert sum(delta != "" for delta in deltas) == 20
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    composed = client.chat.completions.create(model="echo", messages=HELLO["messages"], stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in composed) == "echo: hello"
