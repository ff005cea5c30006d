"""How the services read requests: uvicorn's HTTP protocol, with a limit of time."""

import asyncio

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
