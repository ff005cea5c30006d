"""Streams a reply, token by token, and reports its usage."""

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import MessagesState, StateGraph

WORDS = [f"word{number} " for number in range(20)]
USAGE = UsageMetadata(input_tokens=5, output_tokens=20, total_tokens=25)


class Talker(BaseChatModel):
    """Always returns the same 20 words."""

    model_name: str = "talker"

    @property
    def _llm_type(self) -> str:
        return "talker"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        message = AIMessage("".join(WORDS), usage_metadata=USAGE)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for number, word in enumerate(WORDS, 1):
            message = AIMessageChunk(word)
            if number == len(WORDS):
                message.usage_metadata = USAGE
            yield ChatGenerationChunk(message=message)


model = Talker()


async def talk(state: MessagesState) -> MessagesState:
    return {"messages": [await model.ainvoke(state["messages"])]}


graph = StateGraph(MessagesState).add_node(talk).set_entry_point("talk")
