"""What an agent imports from the platform: `from apps.langgraph.src.core.authoring import …`.

Every other module of `core` may change in a release; these names do not.

    get_llm           the language model that `platform.toml` and `agent.toml` configure
    load_prompt       the text of a file in the agent's folder `prompts/`
    request_approval  stops the run until a person decides on an action; returns an `Approval`
    agent_tool        a tool that gives a task to another agent
    McpTools          middleware for `create_agent`: the tools of the agent's MCP servers
    mcp_tools         the same tools as a list; both raise `McpError`

Checkpoints store the module and name of each class in a state. So a class that an author may keep
in a state, here `Approval`, is never moved or renamed.
"""

from apps.langgraph.src.core.authoring.approval import Approval, request_approval
from apps.langgraph.src.core.authoring.handoff import agent_tool
from apps.langgraph.src.core.authoring.mcp import McpError, McpTools, mcp_tools
from apps.langgraph.src.core.authoring.prompts import load_prompt
from apps.langgraph.src.core.llm.providers import get_llm

__all__ = [
    "Approval",
    "McpError",
    "McpTools",
    "agent_tool",
    "get_llm",
    "load_prompt",
    "mcp_tools",
    "request_approval",
]
