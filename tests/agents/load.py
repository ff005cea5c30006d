"""Sends runs to the agents service: `load.py URL large|streams COUNT`."""

import asyncio
import sys
import time
from functools import partial
from http.client import HTTPConnection
from json import dumps
from threading import Thread
from urllib.parse import urlsplit

SECONDS = 30
LARGE = 'Grüße, 100 euro: "ja"\n' * 130_000


def body(agent: str, text: str, modes: list[str]) -> bytes:
    value = {"assistant_id": agent, "input": {"messages": text}, "stream_mode": modes}
    return dumps(value, ensure_ascii=False).encode()


def large(address: str, ended: list[bool]) -> None:
    """A run with a message of 3 MB in three stream modes."""
    connection = HTTPConnection(address)
    content = body("echo", LARGE, ["values", "updates", "messages"])
    connection.request("POST", "/runs/stream", content, {"content-type": "application/json"})
    tail, response = b"", connection.getresponse()
    while part := response.read1(1 << 20):
        tail = (tail + part)[-200:]
    ended.append(b'"success"' in tail)


async def streams(address: str, ended: list[bool]) -> None:
    """One streamed run after the other."""
    host, port = address.split(":")
    content = body("talker", "x", ["messages"])
    head = f"POST /runs/stream HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + content)
        ended.append(b'"success"' in await reader.read())
        writer.close()


async def many(work: partial, count: int) -> None:
    await asyncio.gather(*(work() for _ in range(count)))


if __name__ == "__main__":
    url, kind, count = sys.argv[1:]
    ended: list[bool] = []
    if kind == "streams":
        asyncio.run(many(partial(streams, urlsplit(url).netloc, ended), int(count)))
    else:
        threads = [
            Thread(target=large, args=(urlsplit(url).netloc, ended)) for _ in range(int(count))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.exit(not ended or not all(ended))
