"""The state that the agents of the swarm share."""

from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Assignment(BaseModel):
    """One section of the brief."""

    title: str = Field(description="The section's heading, at most six words")
    task: str = Field(description="What the section has to say, in one sentence")


class Plan(BaseModel):
    """The planner's outline of a marketing brief."""

    product: str = Field(description="What is marketed, in a few words")
    audience: str = Field(description="Who should buy it")
    promise: str = Field(description="The one thing that they should remember")
    sections: list[Assignment] = Field(min_length=3, max_length=5)


class Revision(BaseModel):
    """A change to one section."""

    section: str = Field(description="The section's title, exactly as in the brief")
    instruction: str = Field(description="What to change, in one sentence")


class Review(BaseModel):
    """The editor's judgement of the whole brief."""

    revisions: list[Revision] = Field(description="Empty if the brief is ready")


class Job(TypedDict):
    """The input of a writer: a section, and for a revision its draft and the instruction."""

    plan: Plan
    assignment: Assignment
    draft: str
    instruction: str


def merge(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Join the sections of writers that finish at the same time."""
    return {**old, **new}


class Input(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class Output(Input):
    brief: str
    """The deliverable, in Markdown."""


class State(Output):
    plan: Plan
    drafts: Annotated[dict[str, str], merge]
    """The text of each section, by its title."""
    rounds: int
    """The number of revisions so far."""
