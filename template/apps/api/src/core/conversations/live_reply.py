"""The events of a reply in progress."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from apps.api.src.core.conversations.schemas import ReplyEvent, StepEvent, TokenEvent


class LiveReply:
    """The events of one run that this process has seen, numbered from 1.

    `cancelled` says that the user has asked to stop the run.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self._events: list[ReplyEvent] = []
        self._complete = False
        self._news = asyncio.Event()

    def publish(self, *events: ReplyEvent, complete: bool = False) -> None:
        """Add events; `complete` marks the last ones."""
        self._events.extend(events)
        self._complete = complete
        self._news.set()
        self._news = asyncio.Event()

    def last_text(self) -> str:
        """The part that has arrived of the text that a model began last; empty before the first.

        The web shows the same text while the reply arrives.
        """
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for event in self._events:
            if isinstance(event, TokenEvent):
                texts[event.message_id].append(event.text)
        return "".join(next(reversed(texts.values()), []))

    async def events(self, after: int = 0) -> AsyncIterator[tuple[int, ReplyEvent]]:
        """Events with their numbers, from number `after` + 1 to the last, as they arrive.

        The closing events always come, even with lower numbers than those of an earlier process.
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
