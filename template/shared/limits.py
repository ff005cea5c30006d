"""Rate limits: the error for a use too many (429), with the time to wait."""

import math
import time

from fastapi import HTTPException
from limits import RateLimitItem
from limits.aio.strategies import RateLimiter


async def count(what: str, limiter: RateLimiter, limit: RateLimitItem, *key: str) -> None:
    """Count a use under `key`; raise 429, with the seconds to wait, if it exceeds `limit`.

    `what` names the uses in the message, such as "runs".
    """
    if await limiter.hit(limit, *key):
        return
    reset_time, _ = await limiter.get_window_stats(limit, *key)
    seconds = max(1, math.ceil(reset_time - time.time()))
    raise HTTPException(
        429,
        f"Too many {what}: wait {seconds} seconds, then try again.",
        headers={"Retry-After": str(seconds)},
    )
