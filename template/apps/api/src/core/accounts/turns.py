"""One after the other: password checks leave other requests a processor and the connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count


class Turns:
    """Lets one password check in at a time; each takes a processor and 64 MiB for a moment.

    Known clients come first. Of the others the newest does, so that nobody waits for all the
    guesses that came before.
    """

    def __init__(self) -> None:
        self.announcing = asyncio.Lock()
        """For the query that comes before a turn: a flood must not take all connections."""
        self._taken = False
        self._numbers = count()
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def take(self, *, known: bool) -> AsyncIterator[None]:
        """Wait for a turn, and hold it within the context."""
        if self._taken:
            turn = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (not known, -next(self._numbers), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._pass_on()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            *_, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
