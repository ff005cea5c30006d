"""Half-sent requests are closed; others have as long as they need."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from shared.serving import TimedHttpProtocol

LIMIT = 0.3
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
app = FastAPI()


class Impatient(TimedHttpProtocol):
    """The protocol with a limit that a test can wait for."""

    limit = LIMIT


@app.post("/")
async def length(request: Request) -> int:
    """The length of the body."""
    return len(await request.body())


@app.post("/unread")
async def unread() -> str:
    """Does not read the body."""
    return "unread"


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Takes longer than the limit."""

    async def parts() -> AsyncIterator[str]:
        for _ in range(4):
            await asyncio.sleep(LIMIT / 2)
            yield "part"
        yield "end"

    return StreamingResponse(parts())


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server with the protocol."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Impatient, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture
def connection(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A connection that gives up after a minute."""
    with socket.create_connection(address, 60) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    received = b""
    while part := connection.recv(1000):
        received += part
    return received


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\n", POST, POST + b"12345"])
def test_a_request_that_does_not_arrive_is_closed(connection: socket.socket, sent: bytes) -> None:
    connection.sendall(sent)

    assert rest(connection) == b""


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nX-Slow: ", POST.replace(b"10", b"100000")])
def test_one_that_drips_is_closed_too(connection: socket.socket, begin: bytes) -> None:
    connection.sendall(begin)
    with pytest.raises(ConnectionError):
        while True:
            connection.sendall(b"x")
            time.sleep(LIMIT / 10)


def test_the_rest_of_a_body_that_no_route_reads_has_the_same_limit(
    connection: socket.socket,
) -> None:
    connection.sendall(POST.replace(b"/ ", b"/unread ").replace(b"10", b"100000"))
    with pytest.raises(ConnectionError):
        while True:
            connection.sendall(b"x")
            time.sleep(LIMIT / 10)


def test_the_second_request_of_a_connection_has_the_same_limit(connection: socket.socket) -> None:
    connection.sendall(POST + b"1234567890" + POST)

    assert rest(connection).count(b"200 OK") == 1


def test_a_long_response_is_sent_whole(connection: socket.socket) -> None:
    connection.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert b"end" in rest(connection)
