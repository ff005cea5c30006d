"""The webhooks of finished runs that are still to be sent."""

import time

from sqlalchemy import Connection, or_, select, update

from apps.langgraph.src.core.storage.database import Database
from apps.langgraph.src.core.storage.records import Run
from apps.langgraph.src.core.storage.tables import runs


class Webhooks:
    """The webhooks in the table of runs."""

    def __init__(self, database: Database) -> None:
        self._write = database.write

    async def claim(self, limit: int, retry_at: float) -> list[Run]:
        """Runs whose webhook is due; each is due again at `retry_at` unless rescheduled."""

        def claim(connection: Connection) -> list[Run]:
            query = (
                select(runs)
                .where(runs.c.webhook_due <= time.time())
                .order_by(runs.c.webhook_due)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            due = [Run.from_row(row) for row in connection.execute(query)]
            if due:
                connection.execute(
                    update(runs)
                    .where(or_(*(runs.c.run_id == run.run_id for run in due)))
                    .values(webhook_due=retry_at, webhook_tries=runs.c.webhook_tries + 1)
                )
            return due

        return await self._write(claim)

    async def schedule(self, run_id: str, due: float | None, *, tries: int | None = None) -> None:
        """Set the time of the next try (seconds since 1970), or None for no further one.

        `tries` replaces their number, after a claim without a try.
        """
        values = (
            {"webhook_due": due} if tries is None else {"webhook_due": due, "webhook_tries": tries}
        )
        query = update(runs).where(runs.c.run_id == run_id).values(**values)
        await self._write(lambda c: c.execute(query))
