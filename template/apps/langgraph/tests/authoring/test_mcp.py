"""Tools of a real MCP server on standard input and output."""

import sys
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage

from apps.langgraph.src.core.authoring import McpError, McpTools, mcp, mcp_tools
from apps.langgraph.src.core.llm.offline import OfflineChatModel

SERVER = """
from mcp.server.fastmcp import FastMCP

server = FastMCP("crm", log_level="ERROR")

@server.tool()
def customer_phone(customer: str) -> str:
    "The phone number of a customer."
    return "0123"

server.run()
"""


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The `graph.py` of an agent that has the server."""
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "graph.py").touch()
    configure(tmp_path, sys.executable, str(tmp_path / "server.py"))
    return tmp_path / "graph.py"


def configure(folder: Path, command: str, *args: str) -> None:
    text = f"[mcp.servers.crm]\ncommand = {command!r}\nargs = {list(args)!r}\n"
    (folder / "agent.toml").write_text(text)


async def phone(graph: Any) -> list[Any]:
    result = await graph.ainvoke({"messages": [HumanMessage("What is the phone of customer A?")]})
    return [message for message in result["messages"] if isinstance(message, ToolMessage)]


async def test_agent_uses_a_tool_of_the_server(agent: Path) -> None:
    graph = create_agent(OfflineChatModel(), middleware=[McpTools(agent)])
    [used] = await phone(graph)
    assert used.name == "customer_phone"
    assert "0123" in used.text


async def test_server_that_is_down_fails_the_run_and_is_asked_again(agent: Path) -> None:
    configure(agent.parent, "/nowhere/server")
    graph: Any = create_agent(OfflineChatModel(), middleware=[McpTools(agent)])
    with pytest.raises(McpError, match=r"'crm' \(/nowhere/server\) does not respond"):
        await phone(graph)
    configure(agent.parent, sys.executable, str(agent.parent / "server.py"))
    assert await phone(graph)


async def test_server_that_dies_later_is_named_and_asked_again(agent: Path) -> None:
    graph: Any = create_agent(OfflineChatModel(), middleware=[McpTools(agent)])
    assert await phone(graph)
    server = agent.parent / "server.py"
    server.unlink()
    with pytest.raises(McpError, match=r"'crm' \(.*\) does not respond"):
        await phone(graph)
    server.write_text(SERVER.replace("customer_phone", "phone_of_customer"))
    [used] = await phone(graph)
    assert used.name == "phone_of_customer"


async def test_tools_that_a_server_gets_later_are_seen(
    agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "TOOLS_SECONDS", 0)
    graph: Any = create_agent(OfflineChatModel(), middleware=[McpTools(agent)])
    assert await phone(graph)
    changed = SERVER.replace("customer_phone", "phone_of_customer")
    (agent.parent / "server.py").write_text(changed)
    [used] = await phone(graph)
    assert used.name == "phone_of_customer"


async def test_server_that_platform_toml_lacks(agent: Path) -> None:
    (agent.parent / "agent.toml").write_text('[mcp]\nuse = ["erp"]\n')
    with pytest.raises(McpError, match=r"uses \[mcp.servers.erp\]"):
        await mcp_tools(agent)
