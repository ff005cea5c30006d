"""The agent on the offline model acts only after a person's decision."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from ..graph import graph

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.fixture
async def waiting() -> Any:
    """The graph at its interrupt."""
    compiled = graph.compile(checkpointer=InMemorySaver())
    await compiled.ainvoke({"messages": [HumanMessage("Plan the move of our office")]}, CONFIG)
    return compiled


async def decide(waiting: Any, **decision: Any) -> str:
    result = await waiting.ainvoke(Command(resume={"decisions": [decision]}), CONFIG)
    return str(result["messages"][-1].text)


async def test_stops_with_the_plan(waiting: Any) -> None:
    state = await waiting.aget_state(CONFIG)
    assert state.next == ("approve",)
    assert state.interrupts[0].value["action_requests"][0]["args"]["steps"]


async def test_approved(waiting: Any) -> None:
    assert (await decide(waiting, type="approve")).startswith("Approved:")


async def test_edited(waiting: Any) -> None:
    action = {"name": "carry_out", "args": {"title": "Move", "steps": ["Rent a van"]}}
    reply = await decide(waiting, type="edit", edited_action=action)
    assert reply == "Approved: **Move**\n\n1. Rent a van"


async def test_rejected(waiting: Any) -> None:
    reply = await decide(waiting, type="reject", message="Not this year.")
    assert reply == "The plan was rejected. Not this year."
