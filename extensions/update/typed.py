"""Dataclasses as JSON and back, checked against their types.

Fields that a dataclass lacks are ignored: a newer version may have written them.
"""

import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """A value as what `json.dumps` accepts."""
    if is_dataclass(value):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def from_json(kind: type[T], value: Any) -> T:
    """A value of the type `kind`. Raises `ValueError` naming the field that does not fit."""
    made: T = _read(kind, value, "")
    return made


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind) and isinstance(value, dict):
        return _read_fields(kind, value, place)
    if origin is Literal and value in arguments:
        return value
    if origin in (Union, types.UnionType):
        (wanted,) = set(arguments) - {type(None)}
        return None if value is None else _read(wanted, value, place)
    if origin is dict and isinstance(value, dict):
        # JSON has no other keys than texts.
        to_key = arguments[0]
        return {to_key(key): _read(arguments[1], one, place) for key, one in value.items()}
    if origin is list and isinstance(value, list):
        return [_read(arguments[0], one, place) for one in value]
    if hasattr(kind, "_fields") and isinstance(value, list) and len(value) == len(kind._fields):
        hints = get_type_hints(kind).values()
        return kind(*(_read(hint, one, place) for hint, one in zip(hints, value, strict=True)))
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind in (str, bool, int) and type(value) is kind:
        return value
    raise ValueError(f"{place or 'it'} is {value!r}")


def _read_fields(kind: Any, value: dict[str, Any], place: str) -> Any:
    hints = get_type_hints(kind)
    found = {}
    for one in fields(kind):
        name = f"{place}.{one.name}" if place else one.name
        if one.name in value:
            found[one.name] = _read(hints[one.name], value[one.name], name)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{name} is missing")
    return kind(**found)
