"""A bounded load on a running platform, from threads, that counts what fails."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx2

Work = Callable[[], None]


@dataclass
class Load:
    """What the threads have done: the number of requests, the longest in seconds, the failures."""

    count: int = 0
    longest: float = 0
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def do(self, work: Work) -> None:
        """Do one piece of work; an exception is a failure."""
        started, failure = time.monotonic(), ""
        try:
            work()
        except (httpx2.HTTPError, AssertionError) as error:
            failure = f"{type(error).__name__}: {error}"
        with self._lock:
            self.count += 1
            self.longest = max(self.longest, time.monotonic() - started)
            if failure:
                self.failures.append(f"after {time.monotonic() - started:.1f} s, {failure}")


@contextmanager
def load(*works: Work, pause: float = 0.02) -> Iterator[Load]:
    """Repeat each work in a thread, with a pause (seconds) between, until the context ends."""
    result, stop = Load(), threading.Event()

    def repeat(work: Work) -> None:
        while not stop.is_set():
            result.do(work)
            stop.wait(pause)

    threads = [threading.Thread(target=repeat, args=[work]) for work in works]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        yield result


def get(client: httpx2.Client, path: str) -> Work:
    """A GET that must succeed."""

    def work() -> None:
        client.get(path).raise_for_status()

    return work


def post(client: httpx2.Client, path: str, body: object) -> Work:
    """A POST that must succeed."""

    def work() -> None:
        client.post(path, json=body).raise_for_status()

    return work
