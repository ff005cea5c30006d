"""The state that the steps share."""

from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Facts(BaseModel):
    """The facts of the request."""

    topic: str = Field(description="The subject of the request, in a few words")
    goal: str = Field(description="What the user wants to achieve")


class Plan(BaseModel):
    """The plan to approve: change it to the arguments of your action."""

    title: str
    steps: list[str] = Field(min_length=1, max_length=5)


class Input(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class State(Input):
    facts: Facts
    plan: Plan
