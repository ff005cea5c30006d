"""Streams of events, as ASGI messages."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message

from apps.langgraph.src.core.routes.answers import EventStream


async def test_a_stream_without_events_is_an_answer() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return await asyncio.Future()

    await EventStream(nothing(), {})({"type": "http"}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
