"""The context of a run: settings that a client may send, in the form of the graph's schema."""

import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError


def build_context(kind: Any, schema: Mapping[str, Any], sent: Mapping[str, Any] | None) -> Any:
    """What `runtime.context` is for a graph with the context schema `kind`.

    `schema` is its JSON schema. Fields that it lacks are dropped, as on LangGraph's server. If no
    field was sent, the context has the defaults; it is None if a field has none. Raises
    `ValueError` with the field that is wrong.
    """
    if kind is None:
        return sent or None
    values = dict(sent or {})
    if "additionalProperties" not in schema and "properties" in schema:
        values = {name: value for name, value in values.items() if name in schema["properties"]}
    if not values:
        try:
            return kind()
        except Exception:
            return None
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    wrong = None if is_model else next(Draft202012Validator(schema).iter_errors(values), None)
    if wrong is not None:
        raise ValueError(_message(wrong.absolute_path, wrong.message))
    try:
        return kind(**values)
    except ValidationError as error:
        detail = error.errors()[0]
        raise ValueError(_message(detail["loc"], detail["msg"])) from None
    except Exception as error:
        raise ValueError(_message((), str(error))) from None


def _message(place: Any, text: str) -> str:
    return ".".join(("context", *map(str, place))) + ": " + re.sub(r"\s+", " ", text)
