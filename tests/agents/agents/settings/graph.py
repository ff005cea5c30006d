"""Replies with its context."""

from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, PositiveInt


class Context(BaseModel):
    tone: str = "friendly"
    words: PositiveInt = 10


def reply(state: MessagesState, runtime: Runtime[Context]) -> MessagesState:
    return {"messages": [AIMessage(f"{runtime.context.tone} {runtime.context.words}")]}


graph = StateGraph(MessagesState, Context).add_node(reply).set_entry_point("reply")
