"""A client so lean that it does not slow the servers it measures."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

# What the agents of tests/agents say to "hello".
ANSWERS = {"echo": b'"echo: hello"', "talker": b"word18 word19"}


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
    """One kept-alive HTTP connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect anew."""
        if self._writer is not None:
            self._writer.close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer. Raises `AssertionError` unless its status is 200."""
        size = int(await self._send(path, body, b"content-length"))
        assert self._reader is not None
        return await self._reader.readexactly(size)

    async def stream(self, path: str, body: bytes, answer: bytes) -> tuple[float, float]:
        """POST and read a stream of events to its end: seconds, and seconds to the first token.

        Raises `AssertionError` unless the last state of the graph holds the answer.
        """
        start = time.perf_counter()
        first = None
        await self._send(path, body, b"transfer-encoding")
        assert self._reader is not None
        seen = bytearray()
        while size := int(await self._reader.readline(), 16):
            chunk = (await self._reader.readexactly(size + 2))[:-2]
            if first is None and b"event: messages" in chunk:
                first = time.perf_counter() - start
            seen += chunk
        await self._reader.readline()
        seconds = time.perf_counter() - start
        state = seen.rpartition(b"event: values")[2].partition(b"event:")[0]
        assert answer in state, seen.decode()
        return seconds, first or seconds

    async def _send(self, path: str, body: bytes, wanted: bytes) -> bytes:
        if self._writer is None:
            await self.open()
        assert self._reader is not None and self._writer is not None
        self._writer.write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (path.encode(), self._port, len(body), body)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.rstrip().split(b"\r\n")
        assert b" 200 " in status, head
        headers = {
            name.lower(): value for name, _, value in (line.partition(b":") for line in lines)
        }
        return headers[wanted]


def served(
    port: int, agent: str, concurrency: int, runs: int, *, new_threads: bool = True
) -> Measured:
    """Runs through the protocol, each on a thread of its own.

    Threads are made by the runs, or, without `new_threads`, before the clock starts. Raises
    `AssertionError` when a run fails, is lost or doubled.
    """
    request = {
        "assistant_id": agent,
        "input": {"messages": [{"role": "user", "content": "hello"}]},
        "stream_mode": ["messages-tuple", "values"],
    }
    body = json.dumps(request).encode()

    async def make_threads() -> Iterator[str]:
        if new_threads:
            return repeat("/runs/stream")
        connection = Connection(port)
        made = [await connection.post("/threads", b"{}") for _ in range(concurrency + runs)]
        return iter([f"/threads/{json.loads(one)['thread_id']}/runs/stream" for one in made])

    async def measure() -> Measured:
        results: list[tuple[float, float]] = []
        left = iter(range(runs))
        paths = await make_threads()

        async def worker() -> None:
            connection = Connection(port)
            await connection.stream(next(paths), body, ANSWERS[agent])
            # A server closes what is idle for long after an answer, and the others may take long.
            await connection.open()
            ready.release()
            await go.wait()
            for _ in left:
                results.append(await connection.stream(next(paths), body, ANSWERS[agent]))

        ready, go = asyncio.Semaphore(0), asyncio.Event()
        workers = [asyncio.create_task(worker()) for _ in range(concurrency)]
        warm = asyncio.gather(*(ready.acquire() for _ in workers))
        done, _ = await asyncio.wait({warm, *workers}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        start = time.perf_counter()
        go.set()
        await asyncio.gather(*workers)
        total = time.perf_counter() - start
        assert len(results) == runs, "a run was lost or doubled"
        return Measured(total, [s for s, _ in results], [f for _, f in results])

    return asyncio.run(measure())
