"""The agent's state of a conversation."""

from langchain.agents import AgentState


class State(AgentState):
    """The messages; add fields that tools can read and change."""
