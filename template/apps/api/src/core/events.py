"""The events of an answer: buffered while it runs, translated from LangGraph's, read back."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from langgraph_sdk.schema import StreamPart
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core import models, schemas
from apps.api.src.core.schemas import AnswerEvent, DoneEvent, StepEvent, TokenEvent

Status = Literal["succeeded", "interrupted", "failed", "cancelled"]


class Answer:
    """The events of one run as far as this process knows them, numbered from 1."""

    def __init__(self) -> None:
        self.cancelled = False
        self._events: list[AnswerEvent] = []
        self._complete = False
        self._news = asyncio.Event()

    def publish(self, *events: AnswerEvent, complete: bool = False) -> None:
        """Add events; `complete` says that these are the last."""
        self._events.extend(events)
        self._complete = complete
        self._news.set()
        self._news = asyncio.Event()

    def last_text(self) -> str:
        """The text that a model began last, as far as it has come; empty before the first.

        The web shows the same one while the answer is given.
        """
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for event in self._events:
            if isinstance(event, TokenEvent):
                texts[event.message_id].append(event.text)
        return "".join(next(reversed(texts.values()), []))

    async def events(self, after: int = 0) -> AsyncIterator[tuple[int, AnswerEvent]]:
        """Events with their numbers, from number `after` + 1 to the last, as they come.

        The outcome always comes, even if its numbers are lower than those of an earlier process.
        """
        number = 0
        while True:
            news = self._news
            while number < len(self._events):
                event = self._events[number]
                number += 1
                if number > after or not isinstance(event, TokenEvent | StepEvent):
                    yield number, event
            if self._complete:
                return
            await news.wait()


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `messages` are stored."""

    status: Status
    error: str | None = None
    messages: list[models.Message] = field(default_factory=list)


def translate(part: StreamPart) -> Iterator[AnswerEvent]:
    """The events that one part of LangGraph's stream (updates, messages-tuple) stands for.

    What happens in a subgraph is part of the step whose node runs it.
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


def open_interrupts(state: dict[str, Any]) -> list[models.Message]:
    """The questions that a thread's state waits for, as messages."""
    found = state.get("interrupts") or [
        interrupt for task in state.get("tasks") or [] for interrupt in task.get("interrupts") or []
    ]
    return [
        models.Message(
            role="assistant",
            content=_question(interrupt.get("value")),
            interrupt={"id": interrupt.get("id"), "value": interrupt.get("value")},
        )
        for interrupt in found
    ]


def final_answer(state: dict[str, Any]) -> models.Message | None:
    """The model's last message since the last of the user, or None."""
    values = state.get("values")
    messages = values.get("messages") or [] if isinstance(values, dict) else []
    for message in reversed(messages):
        if message.get("type") == "human":
            break
        if message.get("type") == "ai" and (text := _text(message.get("content"))):
            return models.Message(role="assistant", content=storable(text), interrupt=None)
    return None


async def stored_outcome(session: AsyncSession, run_id: int) -> list[AnswerEvent]:
    """The last events of a finished run, from the database."""
    run = await session.get(models.Run, run_id, populate_existing=True)
    if run is None:
        # The conversation was deleted.
        return [DoneEvent(status="cancelled")]
    events: list[AnswerEvent] = []
    messages = await session.scalars(
        select(models.Message)
        .where(models.Message.run_id == run_id, models.Message.role == "assistant")
        .order_by(models.Message.id)
    )
    for stored in messages:
        message = schemas.Message.model_validate(stored)
        events.append(
            schemas.InterruptEvent(message=message)
            if message.interrupt
            else schemas.MessageEvent(message=message)
        )
    if run.error:
        events.append(schemas.ErrorEvent(detail=run.error))
    return [*events, DoneEvent.model_validate({"status": run.status})]


def storable(text: str) -> str:
    """The text without NUL characters, which PostgreSQL does not store."""
    return text.replace("\x00", "")


def _text(content: Any) -> str:
    # Content is text, or blocks of which some are text.
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
