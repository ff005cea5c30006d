"""From LangGraph's streams and thread states to events and messages."""

import json
import re
from collections.abc import Iterator
from typing import Any

from langgraph_sdk.schema import StreamPart

from apps.api.src.core.conversations.models import Message
from apps.api.src.core.conversations.schemas import (
    ReplyEvent,
    StepEvent,
    TokenEvent,
    ToolCall,
    ToolEvent,
)
from shared.logging import redact_text, redact_value

# Nodes that LangChain's middleware adds to an agent.
MIDDLEWARE = re.compile(r"\.(before|after)_(agent|model)$")
# Characters of a tool's arguments, and of its result, that are stored.
MAX_VALUE = 4000
# Parts of an agent's state that the conversation shows anyway.
CONVERSATIONAL = {"messages", "prompt"}


def translate(part: StreamPart) -> Iterator[ReplyEvent]:
    """The events in one part of LangGraph's stream (modes updates and messages-tuple).

    Everything in a subgraph belongs to the step of the node that runs it.
    """
    mode, _, place = part.event.partition("|")
    if mode == "updates" and isinstance(part.data, dict):
        for node, updates in part.data.items():
            if node.startswith("__"):
                continue
            inner = bool(MIDDLEWARE.search(node))
            step = place.partition(":")[0] or ("model" if inner else node)
            for call in _tool_calls(updates):
                yield ToolEvent(step=step, tool=call)
            if not place and not inner:
                yield StepEvent(step=node)
    elif mode == "messages" and isinstance(part.data, list):
        chunk, metadata = part.data
        text = _text(chunk.get("content"))
        if text and str(chunk.get("type", "")).lower().startswith("ai"):
            yield TokenEvent(
                step=place.partition(":")[0] or str(metadata.get("langgraph_node", "")),
                message_id=str(chunk.get("id") or ""),
                text=text,
            )


def open_interrupts(state: dict[str, Any]) -> list[Message]:
    """The open interrupts in a thread's state, as messages."""
    found = state.get("interrupts") or [
        interrupt for task in state.get("tasks") or [] for interrupt in task.get("interrupts") or []
    ]
    return [
        Message(
            role="assistant",
            content=_question(interrupt.get("value")),
            interrupt={"id": interrupt.get("id"), "value": interrupt.get("value")},
        )
        for interrupt in found
    ]


def final_reply(state: dict[str, Any]) -> Message | None:
    """The model's last message after the user's last one, or None."""
    values = state.get("values")
    messages = values.get("messages") or [] if isinstance(values, dict) else []
    for message in reversed(messages):
        if message.get("type") == "human":
            break
        if message.get("type") == "ai" and (text := _text(message.get("content"))):
            return Message(role="assistant", content=storable(text), interrupt=None)
    return None


def final_result(state: dict[str, Any], output: dict[str, Any]) -> Message | None:
    """What an agent returned instead of a text, by the schema of its output; None if nothing."""
    result = state.get("values")
    if isinstance(result, dict):
        names = (output.get("properties") or result).keys() - CONVERSATIONAL
        result = {name: value for name, value in result.items() if name in names}
    if isinstance(result, str):
        return Message(role="assistant", content=storable(result)) if result else None
    if result in (None, {}, []):
        return None
    return Message(role="assistant", content=storable(_json(result)), result=result)


def _tool_calls(updates: Any) -> Iterator[ToolCall]:
    """The calls of tools, and what tools returned, in a node's update of the state, or several.

    Redacted as in the log: users see them, and so do those who read the database.
    """
    for update in updates if isinstance(updates, list) else [updates]:
        if not isinstance(update, dict):
            continue
        messages = update.get("messages")
        for message in messages if isinstance(messages, list) else [messages]:
            if not isinstance(message, dict):
                continue
            for call in message.get("tool_calls") or []:
                yield _called(str(call.get("id") or ""), call)
            if message.get("type") == "tool":
                content = message.get("content")
                text = redact_text(_text(content) or (_json(content) if content else ""))
                yield ToolCall(
                    id=str(message.get("tool_call_id") or ""),
                    name=str(message.get("name") or ""),
                    arguments=None,
                    result=_cut(text),
                    failed=message.get("status") == "error",
                )
        # LangChain's middleware leaves the message as it was when a person edits a call.
        for tool_call_id, call in (update.get("hitl_edited_tool_calls") or {}).items():
            yield _called(tool_call_id, call)


def _called(tool_call_id: str, call: dict[str, Any]) -> ToolCall:
    return ToolCall(
        id=tool_call_id,
        name=str(call.get("name") or ""),
        arguments=_short(redact_value(call.get("args"))),
        result=None,
        failed=False,
    )


def _short(value: Any) -> Any:
    """The value, or its beginning as text if it is long."""
    text = _json(value)
    return value if len(text) <= MAX_VALUE else _cut(text)


def _cut(text: str) -> str:
    return storable(text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…")


def storable(text: str) -> str:
    """The text without NUL characters, which PostgreSQL cannot store."""
    return text.replace("\x00", "")


def _text(content: Any) -> str:
    # Content is text, or a list of blocks that may hold text.
    if isinstance(content, str):
        return content
    return "".join(
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in content or []
        if isinstance(block, str) or block.get("type") == "text"
    )


def _question(value: Any) -> str:
    if isinstance(value, dict):
        # The form of LangChain's HumanInTheLoopMiddleware.
        if isinstance(requests := value.get("action_requests"), list):
            texts = (str(one.get("description") or one.get("name")) for one in requests)
            return storable("\n\n".join(texts))
        for key in ("question", "message", "description"):
            if isinstance(value.get(key), str):
                return storable(value[key])
    if isinstance(value, str):
        return storable(value)
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
