"""The native protocol, used by a program on the same machine."""

import json
from pathlib import Path
from uuid import uuid4

import httpx2

from tests.agents.service import running


def test_generate_replies_to_a_prompt(client: httpx2.Client) -> None:
    response = client.post("/echo/generate", json={"prompt": "hello"})
    assert response.status_code == 200
    assert response.json()["output"] == "echo: hello"
    assert response.json()["status"] == "success"


def test_generate_goes_on_with_a_thread(client: httpx2.Client) -> None:
    first = client.post("/echo/generate", json={"prompt": "one"}).json()
    client.post("/echo/generate", json={"prompt": "two", "thread_id": first["thread_id"]})
    values = client.get(f"/threads/{first['thread_id']}").json()["values"]
    assert [message["content"] for message in values["messages"]] == [
        "one",
        "echo: one",
        "two",
        "echo: two",
    ]


def test_an_interrupt_waits_for_a_decision(client: httpx2.Client) -> None:
    asked = client.post("/approval/generate", json={"input": {"prompt": "ship it"}}).json()
    assert asked["status"] == "interrupted"
    assert asked["interrupt"]["value"] == {"approve": "SHIP IT"}
    place = asked["thread_id"]
    assert client.get(f"/approval/status/{place}").json()["interrupt"] == asked["interrupt"]
    assert client.post(f"/approval/resume/{place}", json={}).status_code == 422
    assert client.post(f"/approval/resume/{place}", json={"resume": None}).status_code == 422
    done = client.post(f"/approval/resume/{place}", json={"resume": "yes"}).json()
    assert (done["status"], done["values"]["verdict"]) == ("success", "yes")
    again = client.post(f"/approval/resume/{place}", json={"resume": "yes"})
    assert (again.status_code, again.json()["detail"][:24]) == (409, "The agent is not waiting")


def test_a_decision_of_the_wrong_form_is_refused_and_the_interrupt_stays(
    client: httpx2.Client,
) -> None:
    asked = client.post("/desk/generate", json={"prompt": "Cancel order A-1043"}).json()
    place = asked["thread_id"]
    approve = {"decisions": [{"type": "approve"}]}
    for resume in ("yes", {"decisions": []}, {"decisions": [{"type": "respond", "message": "x"}]}):
        command = {"assistant_id": "desk", "command": {"resume": resume}}
        for path, body in (
            (f"/desk/resume/{place}", {"resume": resume}),
            (f"/threads/{place}/runs/wait", command),
        ):
            response = client.post(path, json=body)
            assert response.status_code == 422
            assert response.json()["detail"][0]["msg"].startswith("resume: ")
    done = client.post(f"/desk/resume/{place}", json={"resume": approve}).json()
    assert "Order A-1043 is cancelled." in done["output"]


def test_an_interrupt_is_not_lost_to_a_queued_decision(tmp_path: Path) -> None:
    with (
        running(tmp_path, AGENTS__MAX_RUNS=1) as service,
        httpx2.Client(base_url=service.url, timeout=30) as client,
    ):
        asked = client.post("/approval/generate", json={"input": {"prompt": "ship it"}}).json()
        busy = client.post("/runs", json={"assistant_id": "sleeper", "input": {"messages": []}})
        place = f"/threads/{asked['thread_id']}"
        resume = {"assistant_id": "approval", "command": {"resume": "no"}}
        waiting = client.post(f"{place}/runs", json=resume).json()
        assert waiting["status"] == "pending"
        client.post(f"{place}/runs/{waiting['run_id']}/cancel?wait=true")
        assert client.get(place).json()["status"] == "interrupted"
        client.post(f"{busy.headers['content-location']}/cancel?wait=true")
        done = client.post(f"/approval/resume/{asked['thread_id']}", json={"resume": "yes"}).json()
    assert (done["status"], done["values"]["verdict"]) == ("success", "yes")


def test_an_interrupt_is_not_lost_to_another_agent(client: httpx2.Client) -> None:
    asked = client.post("/approval/generate", json={"input": {"prompt": "ship it"}}).json()
    body = {"prompt": "x", "thread_id": asked["thread_id"]}
    assert client.post("/echo/generate", json=body).status_code == 409
    resumed = client.post(f"/approval/resume/{asked['thread_id']}", json={"resume": "yes"})
    assert resumed.json()["status"] == "success"


def test_a_field_that_there_is_not_is_refused(client: httpx2.Client) -> None:
    asked = client.post("/approval/generate", json={"input": {"prompt": "ship it"}}).json()
    for path, body in (
        ("/approval/generate", {"prompt": "x", "threadid": asked["thread_id"]}),
        (f"/approval/resume/{asked['thread_id']}", {"resume": "x", "streem": True}),
    ):
        response = client.post(path, json=body)
        assert response.status_code == 422
        assert response.json()["detail"][0]["type"] == "extra_forbidden"


def test_a_stream_can_be_asked_for_from_beyond_its_end(client: httpx2.Client) -> None:
    run = client.post("/runs", json={"assistant_id": "echo", "input": {"messages": "x"}}).json()
    place = f"/threads/{run['thread_id']}/runs/{run['run_id']}"
    client.get(f"{place}/join")
    response = client.get(f"{place}/stream", headers={"Last-Event-ID": "9999999999999999999"})
    assert response.status_code == 200
    assert [name for name, _ in read_events(response)] == ["end"]


def test_history_shows_every_step(client: httpx2.Client) -> None:
    place = client.post("/counter/generate", json={"input": {"to": 3, "pause": 0}}).json()
    steps = client.get(f"/counter/history/{place['thread_id']}").json()
    assert [step["values"].get("counted") for step in steps] == [
        [0, 1, 2],
        [0, 1],
        [0],
        [],
        [],
    ]


def test_a_stream_shows_tokens_and_ends_with_the_reply(client: httpx2.Client) -> None:
    with client.stream(
        "POST", "/talker/generate", json={"prompt": "x", "stream": True}
    ) as response:
        events = read_events(response)
    text = "".join(data["text"] for name, data in events if name == "token")
    name, end = events[-1]
    assert events[0][0] == "metadata"
    assert name == "end"
    assert text == end["output"]
    assert end["usage"]["talker"]["output_tokens"] == 20


def test_a_failure_shows_its_place_to_its_author(client: httpx2.Client) -> None:
    response = client.post("/failing/generate", json={"prompt": "x"})
    assert response.status_code == 500
    assert response.json()["error"] == {
        "error": "RuntimeError",
        "message": "failing/graph.py, line 7: RuntimeError: the password is swordfish",
    }
    [task] = client.get(f"/threads/{response.json()['thread_id']}/state").json()["tasks"]
    assert task["error"].startswith("RuntimeError(")


def test_an_unknown_agent_is_refused_without_naming_others(client: httpx2.Client) -> None:
    response = client.post("/nobody/generate", json={"prompt": "x"})
    assert (response.status_code, response.json()["detail"]) == (404, "Agent 'nobody' not found.")


def test_a_graph_has_a_depth(client: httpx2.Client) -> None:
    for xray in ("2", "true", "false"):
        graph = client.get(f"/assistants/echo/graph?xray={xray}")
        assert "reply" in [node["id"] for node in graph.json()["nodes"]]


def test_limits_end_a_run(client: httpx2.Client) -> None:
    steps = client.post("/limited/generate", json={"input": {}})
    time = client.post("/limited/generate", json={"input": {"pause": 30}})
    assert (steps.status_code, steps.json()["error"]["error"]) == (500, "StepLimit")
    assert (time.status_code, time.json()["error"]["error"]) == (504, "RunTimeout")


def test_an_input_that_the_agent_cannot_take_is_refused(client: httpx2.Client) -> None:
    response = client.post("/counter/generate", json={"input": {"to": "three"}})
    assert response.status_code == 422
    assert "input.to" in response.json()["detail"][0]["msg"]


def test_a_run_goes_where_a_command_sends_it(client: httpx2.Client) -> None:
    place = client.post("/counter/generate", json={"input": {"to": 1, "pause": 0}}).json()
    path = f"/threads/{place['thread_id']}/runs/wait"
    body = {"assistant_id": "counter", "command": {"goto": {"name": "step"}}}
    assert client.post(path, json=body).status_code == 422
    node = {"node": "step", "input": {"counted": [0] * 41, "pause": 0}}
    values = client.post(path, json={**body, "command": {"goto": node}}).json()
    assert values["counted"] == [0, 41]


def test_a_prompt_for_an_agent_that_takes_none_is_refused(client: httpx2.Client) -> None:
    completion = {"model": "counter", "messages": [{"role": "user", "content": "x"}]}
    for path, body in (
        ("/counter/generate", {"prompt": "x"}),
        ("/v1/chat/completions", completion),
    ):
        response = client.post(path, json=body)
        assert response.status_code == 422
        assert "counter takes no prompt" in response.text


def test_an_agent_that_does_not_load_shows_its_error_to_its_author(client: httpx2.Client) -> None:
    response = client.post("/broken/generate", json={"prompt": "x"})
    assert response.status_code == 503
    assert "not today" in response.json()["detail"]
    assert client.post(f"/{uuid4()}/generate", json={"prompt": "x"}).status_code == 404


def read_events(response: httpx2.Response) -> list[tuple[str, dict]]:
    """The server-sent events of a response, as names and JSON values."""
    events, name = [], ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            events.append((name, json.loads(line.removeprefix("data: "))))
    return events
