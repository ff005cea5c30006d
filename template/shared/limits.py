"""Limits of requests: their size (413), and how often something is used (429)."""

import math
import time

from fastapi import HTTPException
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.settings import SettingsError


class BodyLimitMiddleware:
    """Stops reading a request's body after `max_bytes`.

    FastAPI's `max_body_size` responds in plain text instead of in the service's form of errors.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Reading a larger body raises 413."""
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413, f"The request is larger than {self.max_bytes:,} bytes.")
            return message

        await self.app(scope, count, send)


class RateLimit:
    """Counts the uses by each user on this replica.

    `what` names the uses in the message, such as "runs"; `rate` is the value of the setting
    `variable`, in the notation of the library `limits`, such as "120/minute". Raises
    `SettingsError` if it is not.
    """

    def __init__(self, what: str, variable: str, rate: str) -> None:
        self._what = what
        try:
            self._rate = parse(rate)
        except ValueError:
            raise SettingsError(
                f"{variable}: {rate!r} is not a limit; write it as 120/minute"
            ) from None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, user_id: str) -> None:
        """Count a use. Raises 429 if the user exceeds the limit."""
        if await self._limiter.hit(self._rate, user_id):
            return
        reset_time, _ = await self._limiter.get_window_stats(self._rate, user_id)
        raise too_many(self._what, max(1, math.ceil(reset_time - time.time())))


def too_many(what: str, seconds: int) -> HTTPException:
    """The error (429) for too many uses of `what`, such as "runs", with the seconds to wait."""
    return HTTPException(
        429,
        f"Too many {what}: wait {seconds} seconds, then try again.",
        headers={"Retry-After": str(seconds)},
    )
