"""HTTP responses of runs: a stream of events, or one JSON value at the end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.event_log import Event
from apps.langgraph.src.core.runs.following import Result, follow, result_of
from apps.langgraph.src.core.runs.runner import Runner, ShuttingDownError
from apps.langgraph.src.core.storage.records import Run

# Seconds of silence before a heartbeat is sent.
HEARTBEAT = 15
# Seconds to wait for a result before the response is streamed and its status is always 200.
PATIENCE = 1

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT_EVENT = b": alive\n\n"


class JsonResponse(Response):
    """JSON, encoded as LangGraph's clients expect it; bytes are sent unchanged."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return content if isinstance(content, bytes) else dumps(content)


class EventStream(Response):
    """A stream of server-sent events that proxies do not buffer.

    Starlette's StreamingResponse starts two tasks for each response, which doubles its cost.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes], headers: dict[str, str]) -> None:
        self._chunks = chunks
        self.status_code = 200
        self.background = None
        self.init_headers({**STREAM_HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks until they end or the client disconnects; the head with the first one."""
        task = asyncio.current_task()
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda done: task and not done.cancelled() and task.cancel())
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async for chunk in self._chunks:
                if head:
                    await send(head)
                    head = {}
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if head:
                # A replica that stops may send no event at all.
                await send(head)
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            if not gone.done():
                raise
        finally:
            gone.cancel()
            await self._chunks.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class JsonStream(EventStream):
    """A JSON value that is sent in pieces.

    If the service stops before the value is complete, the connection is cut, so that LangGraph's
    clients ask again. `__error__` would mean that the run has failed.
    """

    media_type = "application/json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks until they end or the service stops."""
        with contextlib.suppress(ShuttingDownError):
            await super().__call__(scope, receive, send)


def encode(name: str, data: bytes, event_id: int | None = None) -> bytes:
    """A server-sent event; `data` is JSON without line breaks."""
    if event_id is None:
        return b"event: %s\ndata: %s\n\n" % (name.encode(), data)
    return b"event: %s\ndata: %s\nid: %d\n\n" % (name.encode(), data, event_id)


async def run_events(
    runner: Runner, run: Run, after: int = 0, *, cancel_on_disconnect: bool = False
) -> AsyncIterator[list[Event]]:
    """The events of a run; an empty list is a heartbeat, sent first and after each silence."""
    sent, ended = float(-HEARTBEAT), False
    try:
        async for batch in follow(runner, run, after):
            if batch or time.monotonic() - sent >= HEARTBEAT:
                sent = time.monotonic()
                yield batch
        ended = True
    finally:
        if cancel_on_disconnect and not ended:
            # The client's task is being cancelled, and so would be anything awaited here.
            runner.cancel_soon(run.run_id)


async def in_one_piece(
    result: Callable[[], Awaitable[Any]],
    headers: dict[str, str],
    abandoned: Callable[[], None] = lambda: None,
) -> Response:
    """The value of `result` as JSON; `abandoned` is called if the client disconnects first.

    During a long wait white space is sent, so that proxies keep the connection open; JSON allows it
    before a value.
    """
    task = asyncio.ensure_future(result())
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if done:
        return JsonResponse(task.result(), headers=headers)

    async def body() -> AsyncGenerator[bytes]:
        try:
            while not task.done():
                yield b"\n"
                await asyncio.wait({task}, timeout=HEARTBEAT)
            yield dumps(task.result())
        finally:
            if not task.done():
                task.cancel()
                abandoned()

    return JsonStream(body(), headers)


async def wait_for(request: Request, runner: Runner, run: Run) -> Result:
    """The result of a run; the run is cancelled if the client disconnects first."""
    result = asyncio.ensure_future(result_of(runner, run))
    gone = asyncio.ensure_future(_disconnected(request.receive))
    await asyncio.wait({result, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not result.done():
        await runner.cancel(run.run_id)
    gone.cancel()
    return await result
