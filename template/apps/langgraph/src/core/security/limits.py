"""How large a request may be and how many runs a user may start."""

import math
import time

from fastapi import HTTPException, Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.langgraph.src.core.security.identity import CurrentUser


class RunRateLimit:
    """Counts the runs that each user starts, on this replica.

    `rate` is in the notation of the library `limits`, "120/minute" for example.
    """

    def __init__(self, rate: str) -> None:
        self._rate: RateLimitItem = parse(rate)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, user_id: str) -> None:
        """Count a run. Raises 429, with the seconds to wait, when the user has had enough."""
        if await self._limiter.hit(self._rate, user_id):
            return
        reset = (await self._limiter.get_window_stats(self._rate, user_id)).reset_time
        wait = max(1, math.ceil(reset - time.time()))
        raise HTTPException(
            429,
            f"More than {self._rate} were started; try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )


async def count_run(request: Request, user: CurrentUser) -> None:
    """A dependency of every route that starts a run."""
    await request.app.state.run_rate.hit(user.id)


class BodyLimit:
    """An ASGI middleware that answers 413 to a body beyond a size, whoever sends it."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless it announces, or turns out, to be too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max:
                await _refuse(send, self._max)
                return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max:
                raise HTTPException(413, _too_large(self._max))
            return message

        await self._app(scope, limited, send)


def _too_large(max_bytes: int) -> str:
    return f"The request is larger than {max_bytes} bytes."


async def _refuse(send: Send, max_bytes: int) -> None:
    body = b'{"detail":"%s"}' % _too_large(max_bytes).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
