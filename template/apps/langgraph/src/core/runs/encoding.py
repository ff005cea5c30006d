"""JSON as LangGraph's clients expect it."""

import json
from collections import deque
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from pydantic import BaseModel

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def dumps(value: Any) -> bytes:
    """JSON of messages, models, dataclasses and plain values.

    What JSON cannot express becomes its text, because a run must not fail for being looked at.
    """
    try:
        return orjson.dumps(value, default=_plain, option=OPTIONS)
    except TypeError:
        # A half of a surrogate pair, which some models emit, or an integer above 64 bits.
        return json.dumps(value, default=_plain, skipkeys=True).encode()


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
