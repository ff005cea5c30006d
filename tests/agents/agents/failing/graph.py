"""Fails with a message that clients must not see in production."""

from langgraph.graph import MessagesState, StateGraph


def fail(state: MessagesState) -> MessagesState:
    raise RuntimeError("the password is swordfish")


graph = StateGraph(MessagesState).add_node(fail).set_entry_point("fail")
