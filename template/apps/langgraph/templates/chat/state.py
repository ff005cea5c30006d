"""What the agent remembers of a conversation."""

from langchain.agents import AgentState


class State(AgentState):
    """The messages; add fields of your own, which tools can read and change."""
