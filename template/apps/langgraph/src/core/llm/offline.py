"""The offline model: no key, no network, the same reply to the same prompt."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.constants import TAG_NOSTREAM

from apps.langgraph.src.core.llm import offline_tools, offline_words

RunManager = CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None

NAME = "offline"
# Seconds between two words of a streamed reply, about the pace of a real model.
WORD_DELAY = 0.01


class OfflineChatModel(BaseChatModel):
    """A demo model that behaves like a real one but follows fixed patterns.

    It streams, calls tools that the prompt mentions, fills structured output with text about the
    prompt's subject, and ends its replies with a note that it is the demo model. Calls that are not
    streamed to the user (tag `nostream`) have no such note.
    """

    @property
    def _llm_type(self) -> str:
        return NAME

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(ls_provider=NAME, ls_model_name=NAME, ls_model_type="chat")

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with `tools`; `tool_choice` may force a call."""
        specs = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=specs, tool_choice=tool_choice, **kwargs)

    def _should_stream(
        self, *, async_api: bool, run_manager: RunManager = None, **kwargs: Any
    ) -> bool:
        # Calls in a graph that streams would stream too, whatever their tags.
        return _is_shown(run_manager) and super()._should_stream(
            async_api=async_api, run_manager=run_manager, **kwargs
        )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: RunManager = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = _respond(messages, run_manager, **kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: RunManager = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop, run_manager, **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(_respond(messages, run_manager, **kwargs)):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
            if _is_shown(run_manager):
                time.sleep(WORD_DELAY)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(_respond(messages, run_manager, **kwargs)):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
            if _is_shown(run_manager):
                await asyncio.sleep(WORD_DELAY)


def _respond(
    messages: list[BaseMessage],
    run: RunManager,
    tools: Sequence[dict[str, Any]] = (),
    tool_choice: str | dict[str, Any] | bool | None = None,
    **_: Any,
) -> AIMessage:
    text, calls = "", list[ToolCall]()
    if call := offline_tools.choose(messages, tools, tool_choice):
        calls = [call]
    else:
        text = offline_words.reply(messages, [tool["function"]["name"] for tool in tools])
        if _is_shown(run):
            text = f"{text}\n\n{offline_words.NOTICE}"
    # Words, so that usage has a plausible size.
    used = sum(len(message.text.split()) for message in messages)
    made = len(text.split()) or len(str(calls).split())
    return AIMessage(
        content=text,
        tool_calls=calls,
        response_metadata={"model_name": NAME},
        usage_metadata=UsageMetadata(
            input_tokens=used, output_tokens=made, total_tokens=used + made
        ),
    )


def _is_shown(run: RunManager) -> bool:
    return run is None or TAG_NOSTREAM not in run.tags


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    for word in re.findall(r"\s*\S+\s*", message.text):
        yield ChatGenerationChunk(message=AIMessageChunk(content=word))
    yield ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=[
                tool_call_chunk(
                    name=call["name"],
                    args=json.dumps(call["args"], ensure_ascii=False),
                    id=call["id"],
                    index=index,
                )
                for index, call in enumerate(message.tool_calls)
            ],
            response_metadata=message.response_metadata,
            usage_metadata=message.usage_metadata,
            chunk_position="last",
        )
    )
