"""State and context of types that JSON schema cannot express."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import StateGraph, add_messages
from langgraph.runtime import Runtime


class Ordinary:
    """Neither a dataclass nor a model."""


class Address(TypedDict):
    city: str


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    address: Address
    number: int
    thing: Ordinary


@dataclass
class Context:
    thing: Ordinary | None = None
    word: str = "default"


def reply(state: State, runtime: Runtime[Context]) -> State:
    text = f"{state['messages'][-1].text} {runtime.context.word}"
    return {"messages": [AIMessage(text)]}


graph = StateGraph(State, Context).add_node(reply).set_entry_point("reply")
