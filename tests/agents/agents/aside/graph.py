"""Says something before it calls its tool, and then replies."""

from collections.abc import AsyncIterator
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import tool


@tool
def weather() -> str:
    """The weather."""
    return "sunny"


class Model(BaseChatModel):
    """Streams each word, and the call of the tool at the end of the first message."""

    @property
    def _llm_type(self) -> str:
        return "aside"

    def bind_tools(self, *_: Any, **__: Any) -> "Model":
        return self

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        replies = messages[-1].type == "tool"
        for word in ("It ", "is ", "sunny.") if replies else ("Let ", "me ", "look."):
            yield ChatGenerationChunk(message=AIMessageChunk(word))
        if not replies:
            call = {"name": "weather", "args": "{}", "id": "1", "index": 0}
            yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[call]))


class Watch(AgentMiddleware):
    """Adds a node after the model."""

    def after_model(self, *_: Any) -> None:
        """Change nothing."""


graph = create_agent(Model(), tools=[weather], middleware=[Watch()])
