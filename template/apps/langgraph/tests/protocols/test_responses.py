"""Responses of runs, as ASGI messages."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from apps.langgraph.src.core.protocols import responses
from apps.langgraph.src.core.protocols.responses import AwaitedJson, EventStream
from apps.langgraph.src.core.runs import upkeep
from apps.langgraph.src.core.runs.runner import ShuttingDownError


def test_no_stream_is_silent_for_more_than_15_seconds() -> None:
    # A silence is noticed when the readers are woken, and shown if it is long enough by then.
    assert responses.HEARTBEAT + upkeep.SHOW_LIFE <= 15


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


@pytest.mark.parametrize("patience", [0, 10])
async def test_nothing_is_waited_for_when_its_reader_has_gone(patience: float) -> None:
    ended = asyncio.Event()

    async def result() -> tuple[int, None]:
        try:
            return await asyncio.Future()
        finally:
            ended.set()

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await AwaitedJson(result, {}, patience=patience)({"type": "http"}, receive, send)
    async with asyncio.timeout(10):
        await ended.wait()


@pytest.mark.parametrize("late", [True, False])
async def test_a_service_that_stops_sends_no_value(late: bool) -> None:
    sent: list[str] = []
    stopping = asyncio.Event()

    async def result() -> tuple[int, None]:
        await stopping.wait()
        raise ShuttingDownError

    async def send(message: Message) -> None:
        sent.append(message["type"])
        stopping.set()

    async def receive() -> Message:
        return await asyncio.Future()

    if late:
        await AwaitedJson(result, {}, patience=0)({"type": "http"}, receive, send)
        # Without a last message the server cuts the connection.
        assert set(sent) == {"http.response.start", "http.response.body"}
        return
    stopping.set()
    with pytest.raises(ShuttingDownError):
        await AwaitedJson(result, {})({"type": "http"}, receive, send)
    assert sent == []
