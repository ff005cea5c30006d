"""The agent on the offline model."""

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from ..graph import graph


async def test_replies() -> None:
    result = await graph.ainvoke({"messages": [HumanMessage("Hello")]})
    reply = result["messages"][-1]
    assert isinstance(reply, AIMessage)
    assert "Hello" in reply.text


async def test_uses_its_tool() -> None:
    result = await graph.ainvoke({"messages": [HumanMessage("What time is it?")]})
    [used] = [message for message in result["messages"] if isinstance(message, ToolMessage)]
    assert used.name == "current_time"
    assert used.text in result["messages"][-1].text
