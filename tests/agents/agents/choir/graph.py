"""Two models speak at the same time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import MessagesState, StateGraph


class Voice(BaseChatModel):
    """Says ten times the same word."""

    word: str

    @property
    def _llm_type(self) -> str:
        return "voice"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        message = AIMessage(self.word * 10)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for _number in range(10):
            yield ChatGenerationChunk(message=AIMessageChunk(self.word))
            await asyncio.sleep(0.005)


async def high(state: MessagesState) -> MessagesState:
    return {"messages": [await Voice(word="hi").ainvoke("x")]}


async def low(state: MessagesState) -> MessagesState:
    return {"messages": [await Voice(word="lo").ainvoke("x")]}


graph = StateGraph(MessagesState).add_node(high).add_node(low)
graph.set_entry_point("high").set_entry_point("low")
