"""The access log: one line per request."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logging import QUIET_PATHS

log = structlog.get_logger("access")


class AccessLogMiddleware:
    """Logs method, path, status and seconds of HTTP requests, of streams at their end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(time.perf_counter() - started, 3),
            )
