"""The supervisor's state of a conversation."""

from langchain.agents import AgentState


class State(AgentState):
    """The messages, including the workers' results; add your fields."""
