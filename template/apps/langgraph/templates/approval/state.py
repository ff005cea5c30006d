"""What passes from step to step."""

from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Facts(BaseModel):
    """What the request says."""

    topic: str = Field(description="What the request is about, in a few words")
    goal: str = Field(description="What the user wants to reach")


class Plan(BaseModel):
    """What a person approves: change it to what your action needs."""

    title: str
    steps: list[str] = Field(min_length=1, max_length=5)


class Input(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class State(Input):
    facts: Facts
    plan: Plan
