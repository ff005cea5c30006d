"""Responses of runs, as ASGI messages."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from apps.langgraph.src.core.protocols import responses
from apps.langgraph.src.core.protocols.responses import EventStream, in_one_piece


async def test_a_stream_without_events_is_a_response() -> None:
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


async def test_nothing_is_waited_for_when_its_reader_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = asyncio.Event()

    async def result() -> None:
        try:
            await asyncio.Future()
        finally:
            ended.set()

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    monkeypatch.setattr(responses, "PATIENCE", 0)
    await (await in_one_piece(result, {}))({"type": "http"}, receive, send)
    async with asyncio.timeout(10):
        await ended.wait()
