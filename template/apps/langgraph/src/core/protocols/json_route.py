"""Request bodies as strict JSON: no NaN, no unpaired surrogate, no NUL, no excessive nesting.

An integer beyond 64 bits becomes a float, as in JavaScript.
"""

import re
from collections.abc import Callable, Coroutine
from functools import reduce
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from apps.langgraph.src.core.runs.encoding import LARGE, aside

# After an even number of backslashes; after an odd one it is the text "\\u0000".
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Levels of nesting that a state or an event may add to a value when it is written again.
MARGIN = 50


class JsonRequest(Request):
    """A request whose JSON both databases can store."""

    async def json(self) -> Any:
        """The body's value. Raises `JSONDecodeError`, which FastAPI turns into a 422."""
        body = await self.body()
        return await aside(_loads, body) if len(body) > LARGE else _loads(body)


def _loads(body: bytes) -> Any:
    if b"\\u0000" in body and (found := NUL.search(body)):
        raise orjson.JSONDecodeError("NUL in a text", "", found.start())
    value = orjson.loads(body)
    try:
        orjson.dumps(reduce(lambda inner, _: [inner], range(MARGIN), value))
    except TypeError:
        # A stored value that cannot be written would break every list of threads.
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
