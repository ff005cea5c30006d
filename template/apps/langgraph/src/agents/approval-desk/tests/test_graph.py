"""The desk sends nothing without a person's decision."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from .. import graph as desk

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.fixture
async def waiting() -> Any:
    """The graph at its interrupt."""
    compiled = desk.graph.compile(checkpointer=InMemorySaver())
    prompt = HumanMessage("Reply to ann@example.com about her late delivery")
    await compiled.ainvoke({"messages": [prompt]}, CONFIG)
    return compiled


async def decide(waiting: Any, **decision: Any) -> str:
    result = await waiting.ainvoke(Command(resume={"decisions": [decision]}), CONFIG)
    return str(result["messages"][-1].text)


async def test_stops_with_the_draft(waiting: Any) -> None:
    [interrupt] = (await waiting.aget_state(CONFIG)).interrupts
    [action] = interrupt.value["action_requests"]
    assert action["name"] == "send_email"
    assert action["args"]["recipient"] == "ann@example.com"


async def test_approved(waiting: Any) -> None:
    assert "ann@example.com was approved" in await decide(waiting, type="approve")


async def test_edited(waiting: Any) -> None:
    edited = {"recipient": "bob@example.com", "subject": "Late", "body": "It is on its way."}
    reply = await decide(waiting, type="edit", edited_action={"name": "send_email", "args": edited})
    assert "bob@example.com was approved" in reply
    assert "It is on its way." in reply


async def test_rejected(waiting: Any) -> None:
    reply = await decide(waiting, type="reject", message="Too short.")
    assert reply == "The e-mail was not sent. Too short."


@pytest.mark.parametrize(
    "decision",
    [
        {"type": "perhaps"},
        {"type": "edit", "edited_action": {"name": "send_email", "args": {"recipient": 5}}},
    ],
)
async def test_an_invalid_decision_interrupts_again(waiting: Any, decision: dict[str, Any]) -> None:
    await decide(waiting, **decision)
    [interrupt] = (await waiting.aget_state(CONFIG)).interrupts
    assert "not understood" in interrupt.value["action_requests"][0]["description"]
    assert "was approved" in await decide(waiting, type="approve")
