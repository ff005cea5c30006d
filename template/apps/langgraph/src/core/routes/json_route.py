"""Bodies are read as strict JSON: no NaN, no half of a surrogate pair, no number beyond 64 bits."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class JsonRequest(Request):
    """A request whose JSON is what the databases can hold."""

    async def json(self) -> Any:
        """The body's value. Raises `JSONDecodeError`, which FastAPI answers with 422."""
        return orjson.loads(await self.body())


class JsonRoute(APIRoute):
    """A route that reads its body as strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, on a `JsonRequest`."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return handle
