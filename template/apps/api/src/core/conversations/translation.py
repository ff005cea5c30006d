"""From LangGraph's streams and thread states to events and messages."""

import json
from collections.abc import Iterator
from typing import Any

from langgraph_sdk.schema import StreamPart

from apps.api.src.core.conversations.models import Message
from apps.api.src.core.conversations.schemas import ReplyEvent, StepEvent, TokenEvent


def translate(part: StreamPart) -> Iterator[ReplyEvent]:
    """The events in one part of LangGraph's stream (modes updates and messages-tuple).

    Everything in a subgraph belongs to the step of the node that runs it.
    """
    mode, _, place = part.event.partition("|")
    if part.event == "updates" and isinstance(part.data, dict):
        for node in part.data:
            if not node.startswith("__"):
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
        for key in ("question", "message", "description"):
            if isinstance(value.get(key), str):
                return storable(value[key])
    if isinstance(value, str):
        return storable(value)
    return json.dumps(value, ensure_ascii=False, indent=2)
