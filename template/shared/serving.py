"""uvicorn for the services: requests have a limit of time, and a stop causes no errors.

In production: `python -m shared.serving APP PORT GRACE`. GRACE is the time (seconds) that responses
such as streams have to end when the service stops.
"""

import asyncio
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class TimedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request has not arrived completely after `limit` seconds.

    uvicorn limits only how long a connection is idle between two requests, so that half-sent ones
    could use up its connections. For its option `--http`.
    """

    limit = 30.0

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start_timer()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_timer()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self.limit, self._close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        if self.flow.read_paused:
            # The service is slow, not its client.
            self._start_timer()
        else:
            self.transport.close()


# How long (seconds) a stopping service keeps serving open connections: longer than a request is on
# its way. Each connection closes with its next response.
DRAIN = 0.5


class DrainingServer(uvicorn.Server):
    """Stops without an error for a request that is on its way on an open connection."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no new connection, serve the open ones, then stop as uvicorn does."""
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(DRAIN)
        await super().shutdown(sockets)


def config(app: str, *, grace: int, **options: Any) -> uvicorn.Config:
    """uvicorn's configuration of a service; `app` is an import path."""
    return uvicorn.Config(
        app,
        http=TimedHttpProtocol,
        log_config=None,
        # An error during start-up ends the process instead of being ignored.
        lifespan="on",
        # The API reads the headers of proxies that its settings trust.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=grace,
        **options,
    )


if __name__ == "__main__":
    app, port, grace = sys.argv[1:]
    # The container decides who reaches it.
    server = DrainingServer(config(app, grace=int(grace), host="0.0.0.0", port=int(port)))  # noqa: S104
    server.run()
    sys.exit(0 if server.started else 3)
