"""HTTP responses of runs: a stream of events, or one JSON value at the end."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi import Response
from starlette.types import Receive, Scope, Send

from apps.langgraph.src.core.runs.encoding import dumps, to_json
from apps.langgraph.src.core.runs.event_log import Event
from apps.langgraph.src.core.runs.following import follow
from apps.langgraph.src.core.runs.runner import Runner, ShuttingDownError
from apps.langgraph.src.core.storage.records import Run

# Seconds of silence before a heartbeat is sent. With `upkeep.SHOW_LIFE`, after which the silence is
# noticed, at most 15: proxies cut a connection that is silent for 30 to 60.
HEARTBEAT = 12

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
        begun = False

        async def begin() -> None:
            nonlocal begun
            if not begun:
                begun = True
                head = {"status": self.status_code, "headers": self.raw_headers}
                await send({"type": "http.response.start", **head})

        try:
            async for chunk in self._chunks:
                await begin()
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # A replica that stops may send no event at all.
            await begin()
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


class AwaitedJson(EventStream):
    """The JSON value of `result`, which also returns the status.

    After `patience` seconds without it, at most `HEARTBEAT`, white space is sent, so that proxies
    keep the connection open; JSON allows it before a value. The status is then 200, also of a
    failure. `abandoned` is called if the client disconnects first.
    """

    media_type = "application/json"

    def __init__(
        self,
        result: Callable[[], Awaitable[tuple[int, Any]]],
        headers: dict[str, str],
        *,
        patience: float = math.inf,
        abandoned: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(self._body(result, patience, abandoned), headers)
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the value.

        If the service stops after the white space, the connection is cut, so that clients ask
        again: any value would mean that the run has ended.
        """
        try:
            await super().__call__(scope, receive, send)
        except ShuttingDownError:
            if not self._begun:
                raise

    async def _body(
        self,
        result: Callable[[], Awaitable[tuple[int, Any]]],
        patience: float,
        abandoned: Callable[[], None],
    ) -> AsyncGenerator[bytes]:
        task = asyncio.ensure_future(result())
        try:
            await asyncio.wait({task}, timeout=min(patience, HEARTBEAT))
            while not task.done():
                self._begun = True
                yield b"\n"
                await asyncio.wait({task}, timeout=HEARTBEAT)
            self.status_code, value = task.result()
            yield await to_json(value)
        finally:
            if not task.done():
                task.cancel()
                abandoned()


def location_headers(run: Run, then: str = "") -> dict[str, str]:
    """The run's address, and the one where a client continues after a lost connection."""
    place = f"/threads/{run.thread_id}/runs/{run.run_id}"
    return {"Content-Location": place, **({"Location": f"{place}/{then}"} if then else {})}


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
