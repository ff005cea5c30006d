"""`platform new agent`: its results and its refusals."""

import json
import os
from pathlib import Path

import pytest

from tests.authoring.workshop import Workshop

TEMPLATES = ("chat", "approval", "supervisor")


def new_agent(project: Workshop, name: str, *options: str, code: int = 0) -> str:
    return project.run("uv", "run", "platform", "new", "agent", name, *options, code=code)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("template", TEMPLATES)
def test_agent_is_complete_clean_and_tested(project: Workshop, template: str) -> None:
    new_agent(project, "my-own-agent", "--template", template)
    folder = project.agents / "my-own-agent"
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert "http://127.0.0.1:" in (folder / "README.md").read_text()
    assert not any("AGENT_NAME" in text or "AGENT_TITLE" in text for text in texts)
    project.run("uv", "run", "ruff", "check", str(folder))
    project.run("uv", "run", "ruff", "format", "--check", str(folder))
    assert " passed" in project.run("uv", "run", "pytest", "-q", str(folder))


def test_agents_pass_strict_type_checks(project: Workshop) -> None:
    # For mypy a folder is a package only if its name has no hyphen.
    for template in TEMPLATES:
        new_agent(project, f"typed_{template}", "--template", template)
    for example in ("approval-desk", "marketing-swarm"):
        (project.agents / example).rename(project.agents / example.replace("-", "_"))
    project.run("uv", "run", "mypy", "--follow-imports=silent", "apps/langgraph/src/agents")


def test_says_what_to_do_next(project: Workshop) -> None:
    told = new_agent(project, "order-desk")
    assert f"http://127.0.0.1:{project.port}/order-desk/generate" in told
    assert "uv run pytest apps/langgraph/src/agents/order-desk" in told


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("threads", (), "is an address of the agents service"),
        ("Order-Desk", (), "is not a valid agent name"),
        ("../escape", (), "is not a valid agent name"),
        ("marketing-swarm", (), "There is already an agent"),
        ("order-desk", ("--template", "nope"), "Use approval, chat, supervisor."),
        ("order-desk", ("--template", "../src/agents/marketing-swarm"), "There is no template"),
    ],
)
def test_refused_before_anything_is_written(
    project: Workshop, name: str, options: tuple[str, ...], reason: str
) -> None:
    before = tree(project.agents)
    told = new_agent(project, name, *options, code=2)
    assert reason in told
    assert "Traceback" not in told
    assert tree(project.agents) == before


def test_what_a_killed_command_left_is_removed_by_the_next(project: Workshop) -> None:
    left, fresh = project.agents / ".new-killed", project.agents / ".new-running"
    for folder in (left, fresh):
        (folder / "half-made").mkdir(parents=True)
    os.utime(left, (0, 0))
    new_agent(project, "order-desk")
    assert not left.exists()
    assert fresh.exists(), "another command may be at work there"


def test_template_of_the_customer(project: Workshop) -> None:
    own = project.root / "apps/langgraph/templates/house-style"
    own.mkdir()
    (own / "graph.py").write_text("# AGENT_NAME\n")
    (own / "logo.png").write_bytes(b"\xff\x00AGENT_NAME")
    new_agent(project, "order-desk", "--template", "house-style")
    assert (project.agents / "order-desk/graph.py").read_text() == "# order-desk\n"
    assert (project.agents / "order-desk/logo.png").read_bytes() == b"\xff\x00AGENT_NAME"


def test_langgraph_json_lists_every_agent(project: Workshop) -> None:
    new_agent(project, "order-desk")
    graphs = json.loads((project.root / "langgraph.json").read_text())["graphs"]
    assert set(graphs) == {path.parent.name for path in project.agents.glob("*/graph.py")}
    for place in graphs.values():
        module, _, name = place.partition(":")
        code = f"import importlib; importlib.import_module({module!r}).{name}"
        project.run("uv", "run", "python", "-c", code)
