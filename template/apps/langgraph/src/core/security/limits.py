"""Limits the runs that a user starts, and how many start at a moment."""

import asyncio

from fastapi import Request

from apps.langgraph.src.core.security.identity import CurrentUser


async def count_run(request: Request, user: CurrentUser) -> None:
    """A dependency of every route that starts a run.

    Requests that arrive at the same moment take turns with everything else on the event loop.
    """
    async with request.app.state.starting:
        await asyncio.sleep(0)
    await request.app.state.run_rate.hit(user.id)
