"""JSON schemas of a graph's types, as far as JSON schema can describe them."""

from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from typing_extensions import TypedDict


def describe(derive: Callable[[], dict[str, Any] | None], kind: Any) -> dict[str, Any]:
    """The schema that `derive` returns for the type `kind`.

    If that fails, fields whose types JSON schema cannot express accept anything: an ordinary class,
    a function, `typing.TypedDict` before Python 3.12, a name that cannot be resolved. Empty if
    there are no fields.
    """
    try:
        schema = derive() or {}
    except Exception:
        schema = _by_field(kind)
    # A type that contains itself is described by a reference.
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    return {**schema["$defs"][name], "$defs": schema["$defs"]} if name else schema


def _by_field(kind: Any) -> dict[str, Any]:
    try:
        fields = get_type_hints(kind)
    except Exception:
        fields = dict.fromkeys(getattr(kind, "__annotations__", ()), Any)
    if not fields:
        return {}
    known = {name: field if _is_describable(field) else Any for name, field in fields.items()}
    schema: dict[str, Any] = TypeAdapter(
        TypedDict(kind.__name__, known, total=False)  # type: ignore[operator]
    ).json_schema()
    return schema


def _is_describable(kind: Any) -> bool:
    try:
        TypeAdapter(kind).json_schema()
    except Exception:
        return False
    return True
