"""The recurring work of the service does not slow down with the number of past runs."""

import asyncio
from pathlib import Path


def test_no_upkeep_reads_all_runs(tmp_path: Path) -> None:
    from apps.langgraph.src.core.storage.database import open_database
    from apps.langgraph.src.core.storage.events import Events
    from apps.langgraph.src.core.storage.leases import Leases
    from apps.langgraph.src.core.storage.migrations import HISTORY
    from apps.langgraph.src.core.storage.records import now
    from apps.langgraph.src.core.storage.runs import Runs
    from apps.langgraph.src.core.storage.webhooks import Webhooks
    from shared.database import create_threads_engine
    from sqlalchemy import event

    url = f"sqlite+aiosqlite:///{tmp_path}/agents.db"
    asyncio.run(HISTORY.upgrade(url))
    engine = create_threads_engine(url)
    asked = []
    event.listen(
        engine, "before_cursor_execute", lambda _, __, *what: asked.append((what[0], what[1]))
    )

    async def upkeep() -> None:
        async with open_database(engine) as database:
            leases = Leases(database)
            await leases.renew("me", ["a", "b"], 0)
            await leases.claim("me", 16, 0)
            await leases.cancelled("me")
            await Runs(database).pending()
            await Webhooks(database).claim(10, 0)
            await Events(database).prune(now())

    asyncio.run(upkeep())
    plans = []
    with engine.connect() as connection:
        for statement, values in list(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans += [row.detail for row in plan]
    assert len(asked) > 6
    assert not [plan for plan in plans if "SCAN agent_runs" in plan]
    engine.dispose()
