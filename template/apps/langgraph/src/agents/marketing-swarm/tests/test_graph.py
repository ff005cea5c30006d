"""The swarm on the offline model."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from .. import graph as swarm
from ..state import Plan

PROMPT = {"messages": [HumanMessage("Write a marketing brief for a solar backpack")]}


@pytest.fixture
def compiled() -> Any:
    return swarm.graph.compile()


async def test_brief_has_every_planned_section(compiled: Any) -> None:
    steps = [step async for step in compiled.astream(PROMPT, stream_mode="updates")]
    plan: Plan = next(step["planner"]["plan"] for step in steps if "planner" in step)
    brief = steps[-1]["publisher"]["brief"]
    assert brief.startswith("# Marketing brief: a solar backpack")
    assert all(f"## {section.title}\n" in brief for section in plan.sections)


async def test_reply_is_the_deliverable(compiled: Any) -> None:
    result = await compiled.ainvoke(PROMPT)
    assert isinstance(result["messages"][-1], AIMessage)
    assert result["messages"][-1].text == result["brief"]


async def test_revisions_are_limited(compiled: Any) -> None:
    # The offline model always finds something to revise.
    steps = [step async for step in compiled.astream(PROMPT, stream_mode="updates")]
    assert sum("editor" in step for step in steps) == swarm.MAX_ROUNDS + 1
    assert "publisher" in steps[-1]


async def test_the_brief_is_the_first_thing_that_is_streamed(compiled: Any) -> None:
    _, metadata = await anext(compiled.astream(PROMPT, stream_mode="messages"))
    assert metadata["langgraph_node"] == "publisher"


async def test_a_second_request_starts_a_new_plan(compiled: Any) -> None:
    first = await compiled.ainvoke(PROMPT)
    second = HumanMessage("Write a marketing brief for a travel mug")
    result = await compiled.ainvoke({"messages": [*first["messages"], second]})
    assert result["brief"].startswith("# Marketing brief: a travel mug")
