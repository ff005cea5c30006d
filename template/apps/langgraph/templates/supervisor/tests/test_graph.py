"""The supervisor and its workers on the offline model."""

from langchain_core.messages import HumanMessage, ToolMessage

from ..graph import graph


async def workers_for(request: str) -> list[str | None]:
    result = await graph.ainvoke({"messages": [HumanMessage(request)]})
    return [message.name for message in result["messages"] if isinstance(message, ToolMessage)]


async def test_one_worker() -> None:
    assert await workers_for("Write a greeting") == ["write"]


async def test_both_workers() -> None:
    assert set(await workers_for("Research e-bikes and write a post")) == {"research", "write"}


async def test_replies_with_the_result() -> None:
    result = await graph.ainvoke({"messages": [HumanMessage("Write a text about e-bikes")]})
    [used] = [message for message in result["messages"] if isinstance(message, ToolMessage)]
    assert used.text in result["messages"][-1].text
