"""How runs are answered: with a stream of events, or with one value at their end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.engine import Engine, Result, ShuttingDownError
from apps.langgraph.src.core.runs.log import Event
from apps.langgraph.src.core.storage.records import Run

# Seconds of silence after which a sign of life is sent.
HEARTBEAT = 15
# Seconds for which a waiting request may be answered in one piece, with a status of its own.
PATIENCE = 1

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class JsonResponse(Response):
    """An answer that is JSON already, or becomes it as LangGraph's clients expect."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return content if isinstance(content, bytes) else dumps(content)


class EventStream(Response):
    """A stream of server-sent events that no proxy holds back.

    Starlette's own streams start two tasks in a group for each answer, which costs as much as all
    the rest of it.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes], headers: dict[str, str]) -> None:
        self._chunks = chunks
        self.status_code = 200
        self.background = None
        self.init_headers({**STREAM_HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks until they end or the reader goes away; the head goes with the first."""
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
                # A replica that stops may have nothing more to say.
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
    """A JSON value that comes in pieces.

    When the service stops before the value is there, the connection is cut, from which LangGraph's
    clients see that they are to ask again; `__error__` would tell them that the run has failed.
    """

    media_type = "application/json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks, as far as they come."""
        with contextlib.suppress(ShuttingDownError):
            await super().__call__(scope, receive, send)


def encode(name: str, data: bytes, event_id: int | None = None) -> bytes:
    """A server-sent event; `data` is JSON, which has no line breaks."""
    if event_id is None:
        return b"event: %s\ndata: %s\n\n" % (name.encode(), data)
    return b"event: %s\ndata: %s\nid: %d\n\n" % (name.encode(), data, event_id)


async def run_events(
    engine: Engine, run: Run, after: int = 0, *, cancel_on_disconnect: bool = False
) -> AsyncIterator[list[Event]]:
    """The events of a run with signs of life (empty lists): at once, then as often as needed."""
    sent, ended = float(-HEARTBEAT), False
    try:
        async for batch in engine.events(run, after):
            if batch or time.monotonic() - sent >= HEARTBEAT:
                sent = time.monotonic()
                yield batch
        ended = True
    finally:
        if cancel_on_disconnect and not ended:
            # The reader's task is being cancelled, and with it whatever is awaited here.
            engine.cancel_soon(run.run_id)


async def in_one_piece(
    answer: Callable[[], Awaitable[Any]],
    headers: dict[str, str],
    abandoned: Callable[[], None] = lambda: None,
) -> Response:
    """The value of `answer` as JSON; `abandoned` is called when nobody is there to read it.

    If it takes long, white space is sent meanwhile, so that no proxy cuts the connection; JSON
    allows it before a value.
    """
    task = asyncio.ensure_future(answer())
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


async def wait_for(request: Request, engine: Engine, run: Run) -> Result:
    """The result of a run, which is cancelled when the client of the request goes away."""
    result = asyncio.ensure_future(engine.wait(run))
    gone = asyncio.ensure_future(_disconnected(request.receive))
    await asyncio.wait({result, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not result.done():
        await engine.cancel(run.run_id)
    gone.cancel()
    return await result
