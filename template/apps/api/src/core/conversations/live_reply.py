"""The events of a reply in progress."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from apps.api.src.core.conversations.schemas import (
    ReplyEvent,
    Step,
    StepEvent,
    TokenEvent,
    ToolEvent,
    WaitingEvent,
)

# Events before the closing ones.
PROGRESS = (TokenEvent, StepEvent, ToolEvent, WaitingEvent)
# Steps of a reply that are stored.
MAX_STEPS = 200


class LiveReply:
    """The events of one run that this process has seen, numbered from 1.

    `cancelled` says that the user has asked to stop the run.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self._events: list[ReplyEvent] = []
        self._complete = False
        self._news = asyncio.get_running_loop().create_future()

    def publish(self, *events: ReplyEvent, complete: bool = False) -> None:
        """Add events; `complete` marks the last ones."""
        self._events.extend(events)
        self._complete = complete
        self._news.set_result(None)
        self._news = asyncio.get_running_loop().create_future()

    def last_text(self) -> str:
        """The part that has arrived of the text that a model began last; empty before the first.

        The web shows the same text while the reply arrives.
        """
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for event in self._events:
            if isinstance(event, TokenEvent):
                texts[event.message_id].append(event.text)
        return "".join(next(reversed(texts.values()), []))

    def steps(self) -> list[Step]:
        """The steps so far, at most `MAX_STEPS`, in the order of their start."""
        steps: dict[str, Step] = {}
        for event in self._events:
            if isinstance(event, TokenEvent | StepEvent):
                steps.setdefault(event.step, Step(step=event.step, tool=None))
            elif isinstance(event, ToolEvent):
                key = f"tool:{event.tool.id}"
                known = steps.get(key)
                call = event.tool
                if known and known.tool:
                    news = {name: value for name, value in call if value not in (None, "")}
                    call = known.tool.model_copy(update=news)
                steps[key] = Step(step=known.step if known else event.step, tool=call)
        return list(steps.values())[:MAX_STEPS]

    async def events(
        self, after: int = 0, *, until: asyncio.Future[None] | None = None
    ) -> AsyncIterator[tuple[int, ReplyEvent]]:
        """Events with their numbers, from number `after` + 1 to the last, as they arrive.

        The closing events always come, even with lower numbers than those of an earlier process,
        unless `until` is done before.
        """
        number = 0
        until = until or asyncio.get_running_loop().create_future()
        while True:
            news = self._news
            while number < len(self._events) and not until.done():
                event = self._events[number]
                number += 1
                if number > after or not isinstance(event, PROGRESS):
                    yield number, event
            if self._complete or until.done():
                return
            await asyncio.wait((news, until), return_when=asyncio.FIRST_COMPLETED)
