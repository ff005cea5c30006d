"""JSON in the form that LangGraph's clients expect."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY

# Characters from which a value is encoded in a thread: the event loop would not do anything else
# for milliseconds, and with several such values at a time for seconds.
LARGE = 100_000
# How many parts of a value are looked at to find out whether it is large.
PARTS = 500

# One thread: more would only compete with the event loop for the interpreter.
_thread = ThreadPoolExecutor(1, "encoding")

T = TypeVar("T")


def dumps(value: Any) -> bytes:
    """JSON of messages, pydantic models, dataclasses and plain values.

    Any other object becomes its `str`, because reading a state must not fail.
    """
    try:
        return orjson.dumps(value, default=_plain, option=OPTIONS)
    except TypeError:
        # An integer beyond 64 bits, or half of a surrogate pair: some models send the halves
        # separately, but strict parsers such as LangGraph's client refuse them.
        plain = to_jsonable_python(value, fallback=_plain, inf_nan_mode="null")
        text = json.dumps(plain, ensure_ascii=False)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


async def to_json(value: Any) -> bytes:
    """`dumps` that does not hold up the event loop, even if the value is large."""
    return await apply(dumps, value)


async def apply(work: Callable[[Any], T], value: Any) -> T:
    """`work(value)`, in a thread if the value is large."""
    return await aside(work, value) if _is_large(value) else work(value)


async def aside(work: Callable[..., T], *args: Any) -> T:
    """The result of `work` on large values, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work, *args)


def _is_large(value: Any) -> bool:
    size, parts = 0, [value]
    for _ in range(PARTS):
        if not parts:
            return False
        part = parts.pop()
        if isinstance(part, str | bytes):
            size += len(part)
        elif isinstance(part, Mapping):
            parts.extend(part.values())
        elif isinstance(part, list | tuple | AbstractSet | deque):
            parts.extend(part)
        elif hasattr(part, "__dict__"):
            parts.extend(vars(part).values())
        if size > LARGE:
            return True
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, AbstractSet | deque | tuple):
        return list(value)
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    return str(value)
