"""What agents, threads and streams mean to a client, whatever the agent's types and nodes are."""

import json
from collections import defaultdict

import httpx2
import pytest

from tests.agents.receiver import receiving
from tests.agents.service import TOKEN, Service
from tests.agents.test_native import read_events

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


def test_types_without_a_json_schema_stop_no_run(client: httpx2.Client) -> None:
    reply = client.post("/loose/generate", json={"prompt": "hello"})
    assert (reply.status_code, reply.json().get("output")) == (200, "hello default"), reply.text
    schemas = client.get("/assistants/loose/schemas").json()
    for kind in ("input_schema", "output_schema", "state_schema"):
        fields = schemas[kind]["properties"]
        assert fields.keys() == {"messages", "address", "number", "thing"}
        assert (fields["number"]["type"], fields["messages"]["type"]) == ("integer", "array")
    assert schemas["context_schema"]["properties"].keys() == {"thing", "word"}
    wrong = client.post("/loose/generate", json={"input": {**HELLO, "number": "one"}})
    assert wrong.status_code == 422
    anything = {**HELLO, "thing": [1], "address": {"city": "Bern"}}
    assert client.post("/loose/generate", json={"input": anything}).status_code == 200
    completion = client.post("/v1/chat/completions", json={"model": "loose", **HELLO})
    assert completion.json()["choices"][0]["message"]["content"] == "hello default"


def test_a_context_has_its_defaults(client: httpx2.Client) -> None:
    body = {"assistant_id": "settings", "input": HELLO}
    assert client.post("/settings/generate", json={"prompt": "x"}).json()["output"] == "friendly 10"
    for sent, expected in (
        ({}, "friendly 10"),
        ({"context": {"words": 3}}, "friendly 3"),
        # LangGraph's server takes it from there too, and drops what the schema lacks.
        ({"config": {"configurable": {"tone": "dry", "x": 1}}}, "dry 10"),
    ):
        values = client.post("/runs/wait", json={**body, **sent}).json()
        assert values["messages"][-1]["content"] == expected


def test_every_protocol_takes_a_context(service: Service, client: httpx2.Client) -> None:
    import openai

    context = {"tone": "dry", "words": 3}
    reply = client.post("/settings/generate", json={"prompt": "x", "context": context})
    assert reply.json()["output"] == "dry 3"
    user = openai.OpenAI(base_url=f"{service.url}/v1", api_key=TOKEN, max_retries=0)
    completion = user.chat.completions.create(
        model="settings", **HELLO, extra_body={"context": context}
    )
    assert completion.choices[0].message.content == "dry 3"


@pytest.mark.parametrize(
    ("agent", "context", "place"),
    [
        ("settings", {"words": "many"}, "context.words"),
        ("settings", {"words": 0}, "context.words"),
        ("loose", {"word": 1}, "context.word"),
    ],
)
def test_a_wrong_context_is_refused(
    client: httpx2.Client, agent: str, context: dict, place: str
) -> None:
    for path, body in (
        (f"/{agent}/generate", {"prompt": "x"}),
        ("/runs/wait", {"assistant_id": agent, "input": HELLO}),
        ("/v1/chat/completions", {"model": agent, **HELLO}),
    ):
        response = client.post(path, json={**body, "context": context})
        assert response.status_code == 422
        assert place in response.text


def streamed(client: httpx2.Client, agent: str) -> list[str]:
    """The parts of an agent's answer that OpenAI's clients put together."""
    body = {"model": agent, **HELLO, "stream": True}
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line[:1] == "d"]
    assert lines.pop() == "[DONE]"
    chunks = [json.loads(line)["choices"][0]["delta"] for line in lines]
    return [text for chunk in chunks if (text := chunk.get("content"))]


def test_a_token_names_its_message_and_node(client: httpx2.Client) -> None:
    body = {"prompt": "x", "stream": True}
    with client.stream("POST", "/choir/generate", json=body) as response:
        tokens = [data for name, data in read_events(response) if name == "token"]
    texts: defaultdict[tuple[str, str], str] = defaultdict(str)
    for token in tokens:
        texts[token["node"], token["message_id"]] += token["text"]
    assert {node: text for (node, _), text in texts.items()} == {
        "high": "hi" * 10,
        "low": "lo" * 10,
    }
    assert len(texts) == 2


def test_text_before_a_tool_call_is_a_paragraph_of_its_own(client: httpx2.Client) -> None:
    deltas = streamed(client, "aside")
    assert "".join(deltas) == "Let me look.\n\nIt is sunny."
    # As the model writes them, although middleware comes after the model.
    assert len(deltas) == 6


def test_parallel_messages_do_not_mix_and_the_answer_comes_once(client: httpx2.Client) -> None:
    whole = client.post("/v1/chat/completions", json={"model": "choir", **HELLO}).json()
    answer = whole["choices"][0]["message"]["content"]
    parts = "".join(streamed(client, "choir")).split("\n\n")
    assert parts[-1] == answer
    assert parts in (["hi" * 10], ["lo" * 10], ["hi" * 10, "lo" * 10], ["lo" * 10, "hi" * 10])


def test_several_interrupts_are_answered_by_their_ids(client: httpx2.Client) -> None:
    asked = client.post("/survey/generate", json={"prompt": "x"}).json()
    ids = {one["value"]: one["id"] for one in asked["interrupts"]}
    assert ids.keys() == {"Your name?", "Your town?"}
    assert asked["interrupt"] == asked["interrupts"][0]
    place = f"/survey/resume/{asked['thread_id']}"
    for resume in ("Ann", {"unknown": "Ann"}, {ids["Your name?"]: "Ann", "unknown": "x"}):
        refused = client.post(place, json={"resume": resume})
        assert refused.status_code == 422
        assert ids["Your town?"] in refused.text
    one = client.post(place, json={"resume": {ids["Your town?"]: "Bern"}}).json()
    assert one["status"] == "interrupted"
    assert [left["value"] for left in one["interrupts"]] == ["Your name?"]
    done = client.post(place, json={"resume": {one["interrupts"][0]["id"]: "Ann"}}).json()
    assert (done["status"], done["values"]["answers"]) == ("success", ["Ann", "Bern"])
    assert (done["interrupt"], done["interrupts"]) == (None, [])
    again = client.post("/survey/generate", json={"prompt": "x"}).json()
    place = f"/survey/resume/{again['thread_id']}"
    both = {one["id"]: one["value"][5:9] for one in again["interrupts"]}
    assert client.post(place, json={"resume": both}).json()["values"]["answers"] == ["name", "town"]


def test_a_completion_shows_every_question(client: httpx2.Client) -> None:
    assert "".join(streamed(client, "survey")) == "Your name?\n\nYour town?"


def test_a_cancelled_run_does_not_look_like_one_that_waits(client: httpx2.Client) -> None:
    waits = client.post("/approval/generate", json={"prompt": "x"}).json()
    started = client.post("/runs", json={"assistant_id": "sleeper", "input": HELLO})
    place = started.headers["content-location"]
    client.post(f"{place}/cancel?wait=true")
    for agent, thread, run, cancelled in (
        ("approval", waits["thread_id"], waits["run_id"], False),
        ("sleeper", started.json()["thread_id"], started.json()["run_id"], True),
    ):
        record = client.get(f"/threads/{thread}/runs/{run}").json()
        status = client.get(f"/{agent}/status/{thread}").json()
        for shown in (record, status):
            assert (shown["status"], shown["cancelled"]) == ("interrupted", cancelled)
        assert bool(status["interrupts"]) is not cancelled


def test_a_webhook_tells_a_cancelled_run_from_one_that_waits(client: httpx2.Client) -> None:
    with receiving() as (address, received):
        body = {"assistant_id": "approval", "input": {"prompt": "x"}, "webhook": address}
        client.post("/runs", json=body)
        waits = json.loads(received.get(timeout=30).body)
        body = {"assistant_id": "sleeper", "input": HELLO, "webhook": address}
        place = client.post("/runs", json=body).headers["content-location"]
        client.post(f"{place}/cancel")
        cancelled = json.loads(received.get(timeout=30).body)
    assert (waits["status"], waits["cancelled"]) == ("interrupted", False)
    assert (cancelled["status"], cancelled["cancelled"]) == ("interrupted", True)


def test_only_an_open_interrupt_can_be_decided(client: httpx2.Client) -> None:
    started = client.post("/runs", json={"assistant_id": "sleeper", "input": HELLO})
    client.post(f"{started.headers['content-location']}/cancel?wait=true")
    thread = started.json()["thread_id"]
    assert client.get(f"/threads/{thread}").json()["status"] == "interrupted"
    refused = client.post(f"/sleeper/resume/{thread}", json={"resume": "yes"})
    assert refused.status_code == 409
