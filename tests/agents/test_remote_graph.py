"""RemoteGraph, unmodified: a graph of the service used like a local one."""

from uuid import uuid4

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph.types import Command
from typing_extensions import TypedDict

from tests.agents.service import Service

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


class State(TypedDict, total=False):
    text: str


def new_thread() -> dict[str, dict[str, str]]:
    return {"configurable": {"thread_id": str(uuid4())}}


def test_it_has_every_stream_mode(service: Service) -> None:
    graph = RemoteGraph("nested", url=service.url)
    modes = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]
    chunks = list(graph.stream({"text": "ship"}, new_thread(), stream_mode=modes, subgraphs=True))
    seen = {
        (namespace[0].split(":")[0] if namespace else "", mode) for namespace, mode, _ in chunks
    }
    everywhere = {"values", "updates", "tasks", "checkpoints", "debug"}
    assert seen >= {(place, mode) for place in ("", "inner") for mode in everywhere}
    assert ("inner", "custom") in seen
    tokens = RemoteGraph("talker", url=service.url).stream(HELLO, stream_mode="messages")
    words = [message["content"] for message, _ in tokens if message["type"] == "AIMessageChunk"]
    assert "".join(words).split() == [f"word{number}" for number in range(20)]


def test_its_state_is_read_and_changed(service: Service) -> None:
    graph, config = RemoteGraph("approval", url=service.url), new_thread()
    assert set(graph.get_graph().nodes) == {"__start__", "draft", "approve", "__end__"}
    graph.invoke({"prompt": "ship"}, config)
    state = graph.get_state(config)
    assert (state.next, state.interrupts[0].value) == (("approve",), {"approve": "SHIP"})
    history = list(graph.get_state_history(config))
    assert [one.next for one in history] == [("approve",), ("draft",), ("__start__",)]
    earlier = list(graph.get_state_history(config, before=history[0].config, limit=1))
    assert [one.config for one in earlier] == [history[1].config]
    changed = graph.update_state(config, {"draft": "SHIP IT"}, as_node="draft")
    assert graph.get_state(changed).values["draft"] == "SHIP IT"
    assert graph.invoke(None, config)["__interrupt__"][0]["value"] == {"approve": "SHIP IT"}
    assert graph.invoke(Command(resume="yes"), config)["verdict"] == "yes"


def test_it_is_a_subgraph_that_asks(service: Service) -> None:
    remote = RemoteGraph("nested", url=service.url, name="remote")
    graph = (
        StateGraph(State)
        .add_node("remote", remote)
        .set_entry_point("remote")
        .compile(checkpointer=InMemorySaver())
    )
    config = new_thread()
    modes = ["updates", "custom"]
    chunks = list(graph.stream({"text": "ship"}, config, stream_mode=modes, subgraphs=True))
    assert {"step": "draft"} in [data for _, mode, data in chunks if mode == "custom"]
    [interrupt] = graph.get_state(config).interrupts
    assert interrupt.value == {"approve": "SHIP"}


def test_its_messages_are_streamed_by_the_parent(service: Service) -> None:
    remote = RemoteGraph("talker", url=service.url)
    graph = StateGraph(MessagesState).add_node("talker", remote).set_entry_point("talker").compile()
    tokens = [
        message["content"]
        for _, (message, _) in graph.stream(HELLO, stream_mode="messages", subgraphs=True)
        if isinstance(message, dict) and message["type"] == "AIMessageChunk"
    ]
    assert "".join(tokens).split() == [f"word{number}" for number in range(20)]
    assert graph.invoke(HELLO)["messages"][-1].text.startswith("word0")


def test_its_failure_is_raised(service: Service) -> None:
    with pytest.raises(RemoteException, match="RuntimeError"):
        RemoteGraph("failing", url=service.url).invoke(HELLO)
