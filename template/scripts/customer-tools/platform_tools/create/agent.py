"""`platform new agent`: a working agent with its tests, from a template."""

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from platform_tools.errors import PlatformError
from platform_tools.project import ROOT, settings
from platform_tools.terminal import say

# Seconds after which an unfinished copy is removed.
STALE = 60

# The address of the agents service in the README files of the templates.
DEFAULT_ADDRESS = "http://localhost:6200"


def run(name: str, template: str) -> None:
    """Create an agent and print how to use it."""
    address = settings().ports.address("langgraph")
    new_agent(name, template, address=address)
    shown = f"apps/langgraph/src/agents/{name}"
    print(f"Created {shown}: see its README.md for what to change.\n")
    print("Send it a prompt (`platform dev` must be running):")
    print(f"  curl -X POST {address}/{name}/generate \\")
    print("""    -H "Content-Type: application/json" -d '{"prompt": "Hello"}'""")
    print(f"Its tests:\n  uv run pytest {shown}")


def new_agent(
    name: str, template: str = "chat", root: Path = ROOT, address: str = DEFAULT_ADDRESS
) -> Path:
    """Create the agent `name` from a template and return its folder.

    It appears complete or not at all. Raises `PlatformError` (code 2) for an invalid or used name
    and for an unknown template.
    """
    agents = root / "apps/langgraph/src/agents"
    source = root / "apps/langgraph/templates" / template
    _check(name, template, source, agents)
    agents.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(agents)
    # Beside the agents, so that the rename stays on one file system; a name with a dot is no agent.
    with TemporaryDirectory(prefix=".new-", dir=agents, ignore_cleanup_errors=True) as folder:
        made = Path(folder, name)
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for file in made.rglob("*"):
            if file.is_file():
                _fill_in(file, name, address)
        try:
            made.rename(agents / name)
        except OSError as error:
            raise PlatformError(f"{agents / name} cannot be created: {error.strerror}") from None
    _list_in_langgraph_json(root / "langgraph.json", name)
    return agents / name


def _check(name: str, template: str, source: Path, agents: Path) -> None:
    from apps.langgraph.src.core.agents.names import check_name

    try:
        check_name(name)
    except ValueError as error:
        raise PlatformError(str(error), code=2) from None
    if template in ("", ".", "..") or "/" in template or not (source / "graph.py").is_file():
        known = sorted(path.parent.name for path in source.parent.glob("*/graph.py"))
        raise PlatformError(f"There is no template {template!r}", f"Use {', '.join(known)}.", 2)
    # Git and some file systems ignore case.
    taken = {path.name.lower() for path in agents.glob("*")} if agents.is_dir() else set()
    if name in taken:
        raise PlatformError(
            f"There is already an agent {name!r}", f"It is in {agents / name}; nothing changed.", 2
        )


def _remove_unfinished(agents: Path) -> None:
    # Left by killed commands; a young folder may belong to a command that still runs.
    for left in agents.glob(".new-*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left, ignore_errors=True)


def _fill_in(file: Path, name: str, address: str) -> None:
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        return
    title = name.replace("-", " ").replace("_", " ").capitalize()
    text = text.replace(DEFAULT_ADDRESS, address)
    file.write_bytes(text.replace("AGENT_NAME", name).replace("AGENT_TITLE", title).encode())


def _list_in_langgraph_json(file: Path, name: str) -> None:
    """List the agent for LangGraph's tools; the agents service needs no list."""
    if not file.is_file():
        return
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        content["graphs"][name] = f"apps.langgraph.src.agents.{name}.graph:graph"
    except (ValueError, LookupError, TypeError):
        say(f"{file.name} could not be read: add the agent there yourself.", "warn")
        return
    temporary = file.with_suffix(".json.new")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(file)
