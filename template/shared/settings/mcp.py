"""The table `[mcp]`: servers of the Model Context Protocol."""

from typing import Self

from pydantic import BaseModel, model_validator


class McpServer(BaseModel):
    """An MCP server: a `command` to start, or the `url` of a running one."""

    command: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    url: str = ""
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has either a command or a url")
        return self


class Mcp(BaseModel):
    """MCP servers by name; an agent's code names those that it uses."""

    servers: dict[str, McpServer] = {}
