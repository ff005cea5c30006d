"""Agents: found by folder, loaded by path, reloaded on save."""

from apps.langgraph.src.core.agents.definition import (
    Agent,
    AgentDefinition,
    Limits,
    agent_folder,
    read_definition,
)
from apps.langgraph.src.core.agents.loading import explain
from apps.langgraph.src.core.agents.registry import (
    AGENTS_FOLDER,
    AgentNotFound,
    AgentRegistry,
    AgentUnavailable,
    get_registry,
)

__all__ = [
    "AGENTS_FOLDER",
    "Agent",
    "AgentDefinition",
    "AgentNotFound",
    "AgentRegistry",
    "AgentUnavailable",
    "Limits",
    "agent_folder",
    "explain",
    "get_registry",
    "read_definition",
]
