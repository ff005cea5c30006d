"""The state of one request."""

from typing import Annotated

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Email(BaseModel):
    """An e-mail to a customer."""

    recipient: str = Field(description="The customer's e-mail address")
    subject: str
    body: str


class Input(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class State(Input):
    email: Email
