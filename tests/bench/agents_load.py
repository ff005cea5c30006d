"""The agents service under load, against calling the same graph in-process."""

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.agents.service import HERE, PYTHON, TEMPLATE, Service, postgresql, running
from tests.bench.measuring import table

WARM_UP = 5
# Concurrent streams and how many runs are measured with them.
LOADS = {1: 200, 50: 600, 200: 1000}
ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """Runs with one concurrency: all in all (seconds), each, and each one's first token."""

    total: float
    seconds: list[float]
    first: list[float]

    @property
    def runs_per_second(self) -> float:
        return len(self.seconds) / self.total


class Connection:
    """One kept-alive HTTP connection, so lean that the client does not slow what it measures."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def stream(self, path: str, body: bytes) -> tuple[float, float]:
        """POST and read a stream of events to its end: seconds, and seconds to the first token.

        Raises `AssertionError` unless the run succeeded.
        """
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        start = time.perf_counter()
        first = None
        self._writer.write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (path.encode(), self._port, len(body), body)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        seen = bytearray()
        while size := int(await self._reader.readline(), 16):
            chunk = (await self._reader.readexactly(size + 2))[:-2]
            if first is None and b"event: messages" in chunk:
                first = time.perf_counter() - start
            seen += chunk
        await self._reader.readline()
        seconds = time.perf_counter() - start
        assert seen.count(b"event: end\n") == 1, seen.decode()
        assert b'"status":"success"' in seen, seen.decode()
        return seconds, first or seconds


def in_process(url: str, agent: str, concurrency: int, runs: int) -> Measured:
    script = Path(__file__).with_name("agents_in_process.py")
    env = {**os.environ, "PYTHONPATH": str(TEMPLATE), "PLATFORM_ROOT": str(HERE / "agents")}
    done = subprocess.run(
        [PYTHON, script, url, agent, str(concurrency), str(runs)],
        env={**env, **settings_of_nobody()},
        capture_output=True,
        text=True,
        check=True,
    )
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def served(service: Service, agent: str, concurrency: int, runs: int) -> Measured:
    """The same runs through the protocol, each on a thread of its own."""
    body = json.dumps(
        {
            "assistant_id": agent,
            "input": {"messages": [{"role": "user", "content": "hello"}]},
            "stream_mode": ["messages-tuple", "values"],
        }
    ).encode()

    async def measure() -> Measured:
        results: list[tuple[float, float]] = []
        left = iter(range(runs))

        async def worker() -> None:
            connection = Connection(service.port)
            await connection.stream("/runs/stream", body)
            ready.release()
            await go.wait()
            for _ in left:
                results.append(await connection.stream("/runs/stream", body))

        ready, go = asyncio.Semaphore(0), asyncio.Event()
        workers = [asyncio.create_task(worker()) for _ in range(concurrency)]
        for _ in workers:
            await ready.acquire()
        start = time.perf_counter()
        go.set()
        await asyncio.gather(*workers)
        total = time.perf_counter() - start
        assert len(results) == runs, "a run was lost or doubled"
        return Measured(total, [s for s, _ in results], [f for _, f in results])

    return asyncio.run(measure())


def settings_of_nobody() -> dict[str, str]:
    """What the agents' registry reads of the settings, for a process without a platform."""
    names = ("NAME", "SLUG", "DOMAIN", "ADMIN_EMAIL", "CREATED_ON")
    secrets = {"SERVICE_TOKEN": "x" * 32, "SECRET_KEY": "x" * 32}
    return {**{f"CUSTOMER__{name}": "bench" for name in names}, **secrets}


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, tuple[str, dict[str, str]]]]:
    """For each kind: the checkpointer's URL for the yardstick, and the service's settings."""
    with postgresql(folder) as url:
        yield {
            "SQLite": (f"sqlite+aiosqlite:///{folder}/yardstick.db", {}),
            "PostgreSQL": (url, {"DATABASE__KIND": "postgresql", "DATABASE__URL": url}),
        }


def main() -> None:
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as kinds:
        for kind, (url, settings) in kinds.items():
            root = Path(name) / kind
            root.mkdir()
            with running(root, **settings, LOG_LEVEL="warning") as service:
                compare(kind, url, service)


def compare(kind: str, url: str, service: Service) -> None:
    """Print one table: the service against the graph in-process, on one kind of database."""
    idle = service.memory()
    rows = []
    for concurrency, runs in LOADS.items():
        pairs = [
            (in_process(url, "echo", concurrency, runs), served(service, "echo", concurrency, runs))
            for _ in range(ROUNDS)
        ]
        ours, theirs = (statistics.median(m[n].runs_per_second for m in pairs) for n in (1, 0))
        if concurrency == 1:
            rows.append(
                latency("latency of a run (ms)", [(a.seconds, b.seconds) for a, b in pairs])
            )
        rows.append(
            (
                f"runs/s, {concurrency} streams",
                f"{theirs:.0f}",
                f"{ours:.0f}",
                f"{ours / theirs:.2f}",
            )
        )
    pairs = [
        (in_process(url, "talker", 1, 100), served(service, "talker", 1, 100))
        for _ in range(ROUNDS)
    ]
    rows.append(latency("first of 20 tokens (ms)", [(a.first, b.first) for a, b in pairs]))
    rows.append(("memory, idle → after (MiB)", "", f"{idle:.0f} → {service.memory():.0f}", ""))
    table(
        f"Agents service on {kind}: one-node graph, the same checkpointer",
        ("", "in-process", "service", "service ÷ in-process"),
        rows,
    )


def latency(name: str, pairs: list[tuple[list[float], list[float]]]) -> tuple[str, ...]:
    theirs, ours = (
        1000 * statistics.median(statistics.median(pair[n]) for pair in pairs) for n in (0, 1)
    )
    return name, f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}"


if __name__ == "__main__":
    main()
