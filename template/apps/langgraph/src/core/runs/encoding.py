"""JSON as LangGraph's clients expect it."""

import json
from collections import deque
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def dumps(value: Any) -> bytes:
    """JSON of messages, models, dataclasses and plain values.

    What JSON cannot express becomes its text, because a run must not fail for being looked at.
    """
    try:
        return orjson.dumps(value, default=_plain, option=OPTIONS)
    except TypeError:
        # An integer above 64 bits, or half of a surrogate pair: some models emit the halves one by
        # one. Strict readers, LangGraph's client among them, take only a whole pair.
        plain = to_jsonable_python(value, fallback=_plain, inf_nan_mode="null")
        text = json.dumps(plain, ensure_ascii=False)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


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
