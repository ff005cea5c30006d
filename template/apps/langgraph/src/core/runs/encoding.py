"""JSON in the form that LangGraph's clients expect."""

import json
from collections import deque
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


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
