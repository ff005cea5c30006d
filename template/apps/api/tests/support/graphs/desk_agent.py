"""An agent of LangChain's that asks a person before it calls its tool."""

from typing import Any
from uuid import uuid4

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool


class Clerk(BaseChatModel):
    """Cancels the order that the prompt names, then repeats what the tool returned."""

    @property
    def _llm_type(self) -> str:
        return "clerk"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """The model calls the only tool anyway."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        last = messages[-1]
        message = AIMessage(f"Done: {last.text}")
        if isinstance(last, HumanMessage):
            call = {"order": last.text, "reasons": ["late", "broken"]}
            tool_call = {"name": "cancel_order", "args": call, "id": uuid4().hex}
            message = AIMessage("", tool_calls=[tool_call])
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def cancel_order(order: str, reasons: list[str]) -> str:
    """Cancel an order."""
    return f"Order {order} is cancelled: {', '.join(reasons)}."


graph = create_agent(
    Clerk(),
    tools=[cancel_order],
    middleware=[HumanInTheLoopMiddleware(interrupt_on={"cancel_order": True})],
)
