"""The yardstick of `agents_load`: the same graph, called in a process of its own.

    python agents_in_process.py DATABASE_URL AGENT CONCURRENCY RUNS

It runs on the platform's own environment, with LangGraph's own checkpointer as its documentation
shows it, and prints JSON: seconds in all, and the seconds of each run and to its first token.
"""

import asyncio
import copy
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from apps.langgraph.src.core.agents.registry import AgentRegistry
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

AGENTS = Path(__file__).parents[1] / "agents/agents"
WARM_UP = 5


@asynccontextmanager
async def open_checkpointer(url: str) -> AsyncIterator[Any]:
    """LangGraph's checkpointer for a SQLAlchemy URL."""
    if url.startswith("sqlite"):
        async with AsyncSqliteSaver.from_conn_string(url.split(":///")[1]) as sqlite:
            # As safe as in the service; the default waits for the disk more often.
            await sqlite.conn.execute("PRAGMA synchronous = NORMAL")
            yield sqlite
        return
    async with AsyncPostgresSaver.from_conn_string(url.replace("+psycopg", "")) as postgres:
        yield postgres


async def main(url: str, agent: str, concurrency: int, runs: int) -> None:
    graph = copy.copy(AgentRegistry(AGENTS).get(agent).graph)
    async with open_checkpointer(url) as graph.checkpointer:
        await graph.checkpointer.setup()
        seconds: list[float] = []
        first: list[float] = []
        left = iter(range(runs))

        async def one() -> None:
            start = time.perf_counter()
            token = None
            config = {"configurable": {"thread_id": str(uuid4())}}
            values = {"messages": [{"role": "user", "content": "hello"}]}
            async for mode, _ in graph.astream(values, config, stream_mode=["messages", "values"]):
                if mode == "messages" and token is None:
                    token = time.perf_counter() - start
            seconds.append(time.perf_counter() - start)
            first.append(token or seconds[-1])

        async def worker() -> None:
            for _ in left:
                await one()

        for _ in range(WARM_UP):
            await one()
        seconds.clear()
        first.clear()
        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        print(json.dumps([time.perf_counter() - start, seconds, first]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
