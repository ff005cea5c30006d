"""What the supervisor remembers of a conversation."""

from langchain.agents import AgentState


class State(AgentState):
    """The messages, the workers' results among them; add fields of your own."""
