"""Bases and types of request and response bodies; the web client's types are generated from them.

Docstrings and comments below fields are part of the OpenAPI document.
"""

from typing import Annotated

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints

# PostgreSQL cannot store NUL characters.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


def _plain(value: JsonValue) -> JsonValue:
    try:
        plain: JsonValue = orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise ValueError(f"not plain JSON: {error}") from None
    return plain


# No NaN, no lone surrogate, no number beyond 64 bits: databases and services differ in these.
PlainJson = Annotated[JsonValue, AfterValidator(_plain)]


class Output(BaseModel):
    """Base of response bodies: every field is always present."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )


class Input(BaseModel):
    """Base of request bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
