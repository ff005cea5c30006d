"""The size limit of requests."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Bytes. The longest prompt takes 100,000 characters of up to 12 bytes (as \uXXXX\uXXXX).
MAX_BODY = 2_000_000


class BodyLimitMiddleware:
    """Stops reading a request body (413) after `MAX_BODY` bytes.

    FastAPI's `max_body_size` responds in plain text instead of with a problem document.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY:
                raise HTTPException(413, f"The request is larger than {MAX_BODY:,} bytes.")
            return message

        await self.app(scope, count, send)
