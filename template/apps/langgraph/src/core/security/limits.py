"""How many runs a user may start."""

import math
import time

from fastapi import HTTPException, Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from apps.langgraph.src.core.security.identity import CurrentUser
from shared.settings import SettingsError


class RunRateLimit:
    """Counts the runs that each user starts, on this replica.

    `rate` is in the notation of the library `limits`, "120/minute" for example. Raises
    `SettingsError` if it is not.
    """

    def __init__(self, rate: str) -> None:
        try:
            self._rate: RateLimitItem = parse(rate)
        except ValueError:
            raise SettingsError(
                f"AGENTS__RATE_LIMIT: {rate!r} is no limit; write it as 120/minute"
            ) from None
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
