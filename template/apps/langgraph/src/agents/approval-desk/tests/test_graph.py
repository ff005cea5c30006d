"""The desk acts only on a person's word."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from .. import graph as desk

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@pytest.fixture
async def waiting() -> Any:
    """The graph, stopped at its question."""
    compiled = desk.graph.compile(checkpointer=InMemorySaver())
    prompt = HumanMessage("Reply to ann@example.com about her late delivery")
    await compiled.ainvoke({"messages": [prompt]}, CONFIG)
    return compiled


async def decide(waiting: Any, **decision: Any) -> str:
    result = await waiting.ainvoke(Command(resume={"decisions": [decision]}), CONFIG)
    return str(result["messages"][-1].text)


async def test_stops_with_the_draft(waiting: Any) -> None:
    [question] = (await waiting.aget_state(CONFIG)).interrupts
    [action] = question.value["action_requests"]
    assert action["name"] == "send_reply"
    assert action["args"]["recipient"] == "ann@example.com"


async def test_approved(waiting: Any) -> None:
    assert "ann@example.com was approved" in await decide(waiting, type="approve")


async def test_edited(waiting: Any) -> None:
    edited = {"recipient": "bob@example.com", "subject": "Late", "body": "It is on its way."}
    answer = await decide(
        waiting, type="edit", edited_action={"name": "send_reply", "args": edited}
    )
    assert "bob@example.com was approved" in answer
    assert "It is on its way." in answer


async def test_rejected(waiting: Any) -> None:
    answer = await decide(waiting, type="reject", message="Too short.")
    assert answer == "The reply was not sent. Too short."


@pytest.mark.parametrize(
    "decision",
    [
        {"type": "perhaps"},
        {"type": "edit", "edited_action": {"name": "send_reply", "args": {"recipient": 5}}},
    ],
)
async def test_another_answer_is_asked_for_again(waiting: Any, decision: dict[str, Any]) -> None:
    await decide(waiting, **decision)
    [question] = (await waiting.aget_state(CONFIG)).interrupts
    assert "not understood" in question.value["action_requests"][0]["description"]
    assert "was approved" in await decide(waiting, type="approve")
