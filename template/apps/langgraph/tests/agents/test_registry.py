"""Agents are found, loaded and reloaded; a broken one keeps its last good version."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from apps.langgraph.src.core.agents import registry as registry_module
from apps.langgraph.src.core.agents.loading import explain
from apps.langgraph.src.core.agents.registry import (
    AgentNotFoundError,
    AgentRegistry,
    AgentUnavailableError,
)

GRAPH = """
from langgraph.graph import END, START, MessagesState, StateGraph
from .words import WORD

def reply(state: MessagesState):
    return {"messages": [("ai", WORD)]}

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").add_edge("reply", END)
"""


def write_agent(folder: Path, name: str, word: str = "hello", graph: str = GRAPH) -> Path:
    agent = folder / name
    agent.mkdir(exist_ok=True)
    (agent / "words.py").write_text(f"WORD = {word!r}\n")
    (agent / "graph.py").write_text(graph)
    return agent


def reply(registry: AgentRegistry, name: str) -> str:
    agent = registry.get(name)
    state: dict[str, Any] = agent.graph.invoke(agent.input_for("hi"))
    return agent.reply(state)


@pytest.fixture
def registry(tmp_path: Path) -> AgentRegistry:
    return AgentRegistry(tmp_path)


def test_agent_with_hyphens_and_a_module_of_its_own(registry: AgentRegistry) -> None:
    write_agent(registry.folder, "my-first-agent")
    registry.load_all()
    assert reply(registry, "my-first-agent") == "hello"
    assert registry.get("my-first-agent").definition.title == "My first agent"


def test_modules_of_one_name_in_two_agents_stay_apart(registry: AgentRegistry) -> None:
    write_agent(registry.folder, "one", "from one")
    write_agent(registry.folder, "two", "from two")
    registry.load_all()
    assert (reply(registry, "one"), reply(registry, "two")) == ("from one", "from two")


@pytest.mark.parametrize(
    "ending",
    [
        "graph = graph.compile()",
        "builder = graph\ndef graph(): return builder",
        "builder = graph.compile()\ndef graph(): return builder",
    ],
)
def test_forms_of_graph(registry: AgentRegistry, ending: str) -> None:
    write_agent(registry.folder, "form", graph=GRAPH + ending)
    assert reply(registry, "form") == "hello"


def test_two_saves_within_a_second_are_two_versions(registry: AgentRegistry) -> None:
    write_agent(registry.folder, "quick", "one")
    first = registry.get("quick")
    write_agent(registry.folder, "quick", "two")
    registry.load("quick")
    assert reply(registry, "quick") == "two"
    assert registry.get("quick").version != first.version


@pytest.mark.parametrize(
    "name", ["cache.json", "notes.md", "log.txt", "orders.csv", "agent.db", "data/seen.yaml"]
)
def test_data_in_the_folder_of_an_agent_is_no_source(registry: AgentRegistry, name: str) -> None:
    file = write_agent(registry.folder, "writer") / name
    file.parent.mkdir(exist_ok=True)
    loaded = registry.get("writer")
    file.write_text("{}")
    registry.load_all()
    assert registry.get("writer") is loaded


@pytest.mark.parametrize("name", ["agent.toml", "prompts/system.md", "tools/__init__.py"])
def test_every_source_of_an_agent_makes_a_version(registry: AgentRegistry, name: str) -> None:
    file = write_agent(registry.folder, "reader") / name
    file.parent.mkdir(exist_ok=True)
    loaded = registry.get("reader")
    file.write_text("\n")
    registry.load_all()
    assert registry.get("reader") is not loaded


def test_broken_version_leaves_the_good_one_serving(registry: AgentRegistry) -> None:
    agent = write_agent(registry.folder, "desk", "good")
    registry.load_all()
    (agent / "words.py").write_text("WORD = 'bad'\n\nraise RuntimeError('no database')\n")
    registry.load_all()
    assert reply(registry, "desk") == "good"
    assert registry.errors["desk"] == "desk/words.py, line 3: RuntimeError: no database"
    write_agent(registry.folder, "desk", "mended")
    registry.load_all()
    assert reply(registry, "desk") == "mended"
    assert registry.errors == {}


def test_running_graph_survives_a_reload(registry: AgentRegistry) -> None:
    write_agent(registry.folder, "desk", "old")
    old = registry.get("desk")
    write_agent(registry.folder, "desk", "new")
    registry.load_all()
    assert old.reply(old.graph.invoke(old.input_for("hi"))) == "old"


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"graph.py": "def x(:\n"}, "bad/graph.py, line 1: invalid syntax"),
        ({"graph.py": "x = 1\n"}, "graph.py has no `graph`: assign the graph to that name"),
        ({"graph.py": "graph = 3\n"}, "`graph` in graph.py is a int"),
        ({"graph.py": "import sys\nsys.exit(3)\n"}, "bad/graph.py, line 2: SystemExit: 3"),
        ({"agent.toml": ""}, "bad/graph.py is missing"),
        (
            {"words.py": "WORD = 1\n", "graph.py": "from words import WORD\n"},
            "bad/graph.py, line 1: ModuleNotFoundError: No module named 'words'; import modules of "
            "the same agent with a dot: from .words import …",
        ),
        ({"graph.py": GRAPH, "agent.toml": "titel = 'x'\n"}, "agent.toml: titel: unknown setting"),
        ({"graph.py": GRAPH, "agent.toml": "title = \n"}, "agent.toml: Invalid value"),
        (
            {"graph.py": GRAPH, "agent.toml": "[limits]\nmax_steps = -1\n"},
            "agent.toml: limits.max_steps: Input should be greater than 0",
        ),
    ],
)
def test_error_tells_the_author_what_to_mend(
    registry: AgentRegistry, files: dict[str, str], error: str
) -> None:
    (registry.folder / "bad").mkdir()
    for name, text in files.items():
        (registry.folder / "bad" / name).write_text(text)
    registry.load_all()
    assert registry.errors["bad"].startswith(error)
    with pytest.raises(AgentUnavailableError, match="does not load"):
        registry.get("bad")


FAILS = """
from langgraph.graph import START, MessagesState, StateGraph

def reply(state: MessagesState):
    %s

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
"""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("return state['mesages']", "desk/graph.py, line 5: KeyError: 'mesages'"),
        ("return 'hello'", "InvalidUpdateError: Expected dict, got hello (During task with name"),
    ],
)
def test_failure_of_a_run_tells_the_author_where(
    registry: AgentRegistry, line: str, error: str
) -> None:
    agent = registry.get(write_agent(registry.folder, "desk", graph=FAILS % line).name)
    with pytest.raises(Exception) as caught:
        agent.graph.invoke(agent.input_for("hi"))
    assert explain(caught.value, agent.folder).startswith(error)


def test_agent_that_takes_no_prompt_says_so(registry: AgentRegistry) -> None:
    state = "class Topic(TypedDict):\n    topic: str\n\n"
    graph = "from typing_extensions import TypedDict\n" + GRAPH.replace("MessagesState)", "Topic)")
    graph = graph.replace("def reply(state: Topic)", state + "def reply(state: Topic)")
    agent = registry.get(write_agent(registry.folder, "poet", graph=graph).name)
    with pytest.raises(ValueError, match=r"poet takes no prompt.*but topic"):
        agent.input_for("hi")


@pytest.mark.parametrize("name", ["threads", "v1", "Capital", "two--hyphens", "a" * 61])
def test_names_that_are_refused(registry: AgentRegistry, name: str) -> None:
    write_agent(registry.folder, name)
    registry.load_all()
    assert repr(name) in registry.errors[name]
    assert registry.list() == []


@pytest.mark.parametrize("name", ["missing", "../etc", "", "a" * 5000])
def test_unknown_agent(registry: AgentRegistry, name: str) -> None:
    with pytest.raises(AgentNotFoundError):
        registry.get(name)


async def test_watching_outlives_an_error(
    registry: AgentRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def awatch(*_: Any, **__: Any) -> Any:
        monkeypatch.undo()
        raise OSError("too many watches")

    monkeypatch.setattr(registry_module, "awatch", awatch)
    monkeypatch.setattr(registry_module, "RETRY", 0)
    write_agent(registry.folder, "first")
    watching = asyncio.create_task(registry.watch())
    async with asyncio.timeout(30):
        while not registry.list():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_watching(registry: AgentRegistry) -> None:
    async def until(expected: dict[str, str]) -> None:
        while {agent.name: reply(registry, agent.name) for agent in registry.list()} != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    write_agent(registry.folder, "first", "one")
    watching = asyncio.create_task(registry.watch())
    try:
        async with asyncio.timeout(30):
            await until({"first": "one"})
            write_agent(registry.folder, "first", "two")
            await until({"first": "two"})
            write_agent(registry.folder, "second", "three")
            await until({"first": "two", "second": "three"})
            (registry.folder / "first").rename(registry.folder / ".gone")
            await until({"second": "three"})
    finally:
        watching.cancel()


@pytest.mark.parametrize("error", ["BaseException('panic')", "KeyboardInterrupt", "GeneratorExit"])
def test_what_is_no_exception_is_an_error_of_the_agent_too(
    registry: AgentRegistry, error: str
) -> None:
    write_agent(registry.folder, "rusty", graph=f"raise {error}\n")
    write_agent(registry.folder, "sound")
    registry.load_all()
    assert registry.errors["rusty"].startswith("rusty/graph.py, line 1: ")
    assert reply(registry, "sound") == "hello"


async def test_an_import_that_hangs_holds_up_nobody(
    registry: AgentRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "LOAD_SECONDS", 0.2)
    gate = registry.folder / "gate"
    hang = f"import time\nfrom pathlib import Path\nwhile not Path({str(gate)!r}).exists():\n"
    write_agent(registry.folder, "hangs", graph=f"{hang}    time.sleep(0.01)\n{GRAPH}")
    finding = asyncio.create_task(registry.find("hangs"))
    await asyncio.sleep(0)
    assert not finding.done(), "the event loop goes on"
    with pytest.raises(AgentUnavailableError, match=r"takes longer than 0.2 seconds"):
        await finding
    write_agent(registry.folder, "other")
    registry.load_all()
    assert reply(registry, "other") == "hello"
    gate.touch()
    async with asyncio.timeout(30):
        while registry.errors:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert reply(registry, "hangs") == "hello", "it has loaded after all"
