"""Bodies are read as strict JSON: no NaN, no half of a surrogate pair, no NUL, no endless nesting.

An integer beyond 64 bits is a float, as in JavaScript.
"""

import re
from collections.abc import Callable, Coroutine
from functools import reduce
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

# With an even number of backslashes before it; with an odd one it is the text "\\u0000".
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Levels that a state or an event may add to a value before it is written again.
MARGIN = 50


class JsonRequest(Request):
    """A request whose JSON is what the databases can hold."""

    async def json(self) -> Any:
        """The body's value. Raises `JSONDecodeError`, which FastAPI answers with 422."""
        body = await self.body()
        if b"\\u0000" in body and (found := NUL.search(body)):
            raise orjson.JSONDecodeError("NUL in a text", "", found.start())
        value = orjson.loads(body)
        try:
            orjson.dumps(reduce(lambda inner, _: [inner], range(MARGIN), value))
        except TypeError:
            # What is stored and cannot be written would be an error in every list of threads.
            raise orjson.JSONDecodeError("nested too deeply", "", 0) from None
        return value


class JsonRoute(APIRoute):
    """A route that reads its body as strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, on a `JsonRequest`."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return handle
