"""An author's changes are live in the running service and cannot stop it."""

import json
import urllib.request

import pytest

from tests.authoring.workshop import Workshop

ECHO = """
from langgraph.graph import START, MessagesState, StateGraph

def reply(state: MessagesState):
    return {"messages": [("ai", "%s")]}

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
"""

WRITER = """
from pathlib import Path

from langgraph.graph import START, MessagesState, StateGraph

from shared.settings import get_settings

def note(file):
    with file.open("a") as notes:
        notes.write("{}\\n")
    return len(file.read_text().splitlines())

def reply(state: MessagesState):
    mine = get_settings().data_dir / "agents" / "writer"
    mine.mkdir(parents=True, exist_ok=True)
    count = [note(mine / "notes.json"), note(Path(__file__).with_name("notes.json"))]
    return {"messages": [("ai", str(count))]}

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
"""


@pytest.mark.parametrize("template", ["chat", "approval", "supervisor"])
def test_new_agent_replies_without_a_restart(workshop: Workshop, template: str) -> None:
    name = f"new-{template}"
    workshop.run("uv", "run", "platform", "new", "agent", name, "--template", template)
    workshop.await_that(lambda: name in names(workshop))
    response = workshop.generate(name, prompt="Write a plan for the summer party")
    assert response["status"] == ("interrupted" if template == "approval" else "success")


def test_saved_change_is_live(workshop: Workshop) -> None:
    write(workshop, "saved", ECHO % "one")
    workshop.await_that(lambda: workshop.output("saved", "hi") == "one")
    write(workshop, "saved", ECHO % "two")
    workshop.await_that(lambda: workshop.output("saved", "hi") == "two")


def test_broken_change_is_reported_and_the_last_good_version_serves(workshop: Workshop) -> None:
    write(workshop, "broken", ECHO % "good")
    workshop.await_that(lambda: workshop.output("broken", "hi") == "good")
    write(workshop, "broken", ECHO % "bad" + "\nthis is not Python\n")
    workshop.await_that(lambda: "broken/graph.py, line 9" in workshop.log.read_text())
    assert workshop.output("broken", "hi") == "good"
    write(workshop, "broken", ECHO % "mended")
    workshop.await_that(lambda: workshop.output("broken", "hi") == "mended")


def test_an_agent_that_writes_files_is_not_reloaded(workshop: Workshop) -> None:
    def reloads(name: str) -> int:
        lines = workshop.log.read_text().splitlines()
        return sum("agent reloaded" in line and f"agent={name}" in line for line in lines)

    write(workshop, "writer", WRITER)
    workshop.await_that(lambda: workshop.output("writer", "hi") == "[1, 1]")
    assert [workshop.output("writer", "hi") for _ in range(2)] == ["[2, 2]", "[3, 3]"]
    # Changes are loaded in the order of names: the files above were looked at before this one.
    write(workshop, "youngest", ECHO % "one")
    workshop.await_that(lambda: workshop.output("youngest", "hi") == "one")
    write(workshop, "youngest", ECHO % "two")
    workshop.await_that(lambda: reloads("youngest"))
    assert reloads("writer") == 0


def test_deleted_agent_is_gone(workshop: Workshop) -> None:
    write(workshop, "deleted", ECHO % "here")
    workshop.await_that(lambda: "deleted" in names(workshop))
    for file in (workshop.agents / "deleted").iterdir():
        file.unlink()
    (workshop.agents / "deleted").rmdir()
    workshop.await_that(lambda: "deleted" not in names(workshop))


def test_a_conversation_outlives_a_new_version(workshop: Workshop) -> None:
    write(workshop, "kept", ECHO % "one")
    workshop.await_that(lambda: "kept" in names(workshop))
    thread = workshop.generate("kept", prompt="hi")["thread_id"]
    write(workshop, "kept", ECHO % "two")
    workshop.await_that(lambda: workshop.output("kept", "hi") == "two")
    workshop.generate("kept", prompt="again", thread_id=thread)
    with urllib.request.urlopen(f"{workshop.url}/kept/history/{thread}", timeout=60) as response:
        newest = json.load(response)[0]
    texts = [message["content"] for message in newest["values"]["messages"]]
    assert texts == ["hi", "one", "again", "two"]


def test_types_in_a_checkpoint_outlive_a_new_version(workshop: Workshop) -> None:
    workshop.run("uv", "run", "platform", "new", "agent", "typed", "--template", "approval")
    workshop.await_that(lambda: "typed" in names(workshop))
    thread = workshop.generate("typed", prompt="Plan a move")["thread_id"]
    actions = workshop.agents / "typed/actions.py"
    actions.write_text(actions.read_text().replace("Approved:", "Done:"))
    other = "Plan a party"
    workshop.await_that(lambda: decide(workshop, workshop.generate("typed", prompt=other)))
    assert decide(workshop, {"thread_id": thread})


def decide(workshop: Workshop, run: dict[str, str]) -> bool:
    """Approve a run that waits; whether the changed version carried it out."""
    request = urllib.request.Request(
        f"{workshop.url}/typed/resume/{run['thread_id']}",
        json.dumps({"resume": {"decisions": [{"type": "approve"}]}}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return str(json.load(response)["output"]).startswith("Done:")


def names(workshop: Workshop) -> set[str]:
    request = urllib.request.Request(
        f"{workshop.url}/assistants/search", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return {assistant["graph_id"] for assistant in json.load(response)}


def write(workshop: Workshop, name: str, text: str) -> None:
    (workshop.agents / name).mkdir(exist_ok=True)
    (workshop.agents / name / "graph.py").write_text(text)
