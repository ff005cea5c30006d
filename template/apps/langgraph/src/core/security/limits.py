"""Limits the number of runs that a user starts."""

from fastapi import Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from apps.langgraph.src.core.security.identity import CurrentUser
from shared.limits import count
from shared.settings import SettingsError


class RunRateLimit:
    """Counts the runs that each user starts on this replica.

    `rate` is in the notation of the library `limits`, such as "120/minute". Raises `SettingsError`
    if it is not.
    """

    def __init__(self, rate: str) -> None:
        try:
            self._rate: RateLimitItem = parse(rate)
        except ValueError:
            raise SettingsError(
                f"AGENTS__RATE_LIMIT: {rate!r} is not a limit; write it as 120/minute"
            ) from None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, user_id: str) -> None:
        """Count a run. Raises 429 if the user exceeds the limit."""
        await count("runs", self._limiter, self._rate, user_id)


async def count_run(request: Request, user: CurrentUser) -> None:
    """A dependency of every route that starts a run."""
    await request.app.state.run_rate.hit(user.id)
