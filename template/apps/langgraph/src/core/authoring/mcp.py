"""Tools of MCP servers that `platform.toml` or `agent.toml` configures."""

import functools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException
from langgraph.types import Command

from apps.langgraph.src.core.agents.definition import agent_folder, read_definition
from shared.settings import McpServer, get_settings

# Seconds after which the lists of tools are read again.
TOOLS_SECONDS = 300


class McpError(RuntimeError):
    """An MCP server is not configured or does not respond; the message has its name."""


class McpTools(AgentMiddleware[Any, Any]):
    """Tools of MCP servers for `create_agent(…, middleware=[McpTools(__file__)])`.

    The tools are listed in the first run and again after `TOOLS_SECONDS`. If a server is down, the
    run fails with `McpError`, and the next run lists them again.
    """

    def __init__(self, anchor: str | Path) -> None:
        super().__init__()
        self._anchor = anchor
        self._tools: dict[str, BaseTool] = {}
        self._outdated_at = 0.0

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Offer the servers' tools to the model."""
        tools = await self._load()
        return await handler(request.override(tools=[*request.tools, *tools.values()]))

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Run a call of one of the servers' tools."""
        tool = (await self._load()).get(request.tool_call["name"])
        try:
            return await handler(request.override(tool=tool) if tool else request)
        except McpError:
            self._outdated_at = 0.0
            raise

    async def _load(self) -> dict[str, BaseTool]:
        if time.monotonic() >= self._outdated_at:
            self._tools = {tool.name: tool for tool in await mcp_tools(self._anchor)}
            self._outdated_at = time.monotonic() + TOOLS_SECONDS
        return self._tools


async def mcp_tools(anchor: str | Path) -> list[BaseTool]:
    """The tools of the MCP servers of the agent that contains the file `anchor`.

    These are the servers in its `agent.toml`, and those of `platform.toml` that are listed there
    under `[mcp] use`. Raises `McpError`.
    """
    agent = read_definition(agent_folder(anchor)).mcp
    shared = get_settings().mcp.servers
    if unknown := set(agent.use) - shared.keys():
        raise McpError(f"agent.toml uses [mcp.servers.{unknown.pop()}]: platform.toml has none")
    servers = {**{name: shared[name] for name in agent.use}, **agent.servers}
    return [tool for name, server in servers.items() for tool in await _tools_of(name, server)]


async def _tools_of(name: str, server: McpServer) -> list[BaseTool]:
    # Imported late: slow, and most agents have no such servers.
    from langchain_mcp_adapters.client import MultiServerMCPClient

    connection: dict[str, Any]
    if server.url:
        connection = {"transport": "http", "url": server.url, "headers": server.headers}
    else:
        # Names from .env have lost their case; by convention variables are upper case.
        env = {key.upper(): value for key, value in server.env.items()}
        connection = {
            "transport": "stdio",
            "command": server.command,
            "args": server.args,
            "env": env or None,
        }
    client = MultiServerMCPClient({name: cast(Any, connection)})
    with _named(name, server):
        return [_with_named_errors(tool, name, server) for tool in await client.get_tools()]


def _with_named_errors(tool: BaseTool, name: str, server: McpServer) -> BaseTool:
    """The tool, with the server's name in its errors."""
    call = cast(Any, tool).coroutine

    @functools.wraps(call)
    async def named(*args: Any, **kwargs: Any) -> Any:
        with _named(name, server):
            return await call(*args, **kwargs)

    return tool.model_copy(update={"coroutine": named})


@contextmanager
def _named(name: str, server: McpServer) -> Iterator[None]:
    try:
        yield
    except ToolException:
        # The server responds: its tool has failed.
        raise
    except Exception as error:
        raise McpError(
            f"The MCP server {name!r} ({server.url or server.command}) does not respond: "
            f"{_cause(error)}. Check [mcp.servers.{name}]."
        ) from error


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
