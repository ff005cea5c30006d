"""The OpenAPI document, in the form from which the web client is generated.

`python -m apps.api.src.core.openapi > apps/api/openapi.json` needs no settings and no service.
"""

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from apps.api.src.core.conversations.schemas import ReplyEvent
from apps.api.src.core.platform.problems import Problem

# Schemas that routes mention only by reference.
REFERENCED: dict[str, Any] = {"ReplyEvent": ReplyEvent, "Problem": Problem}
REF = "#/components/schemas/{model}"


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schemas in `REFERENCED`."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = app.openapi_schema.setdefault("components", {}).setdefault("schemas", {})
        for name, referenced in REFERENCED.items():
            adapter = TypeAdapter[Any](referenced)
            schema = adapter.json_schema(ref_template=REF, mode="serialization")
            schemas.update(schema.pop("$defs", {}))
            schemas[name] = schema
    return app.openapi_schema


def for_client(document: dict[str, Any]) -> dict[str, Any]:
    """The document with each event's schema where the client's generator looks for it.

    The generator does not support OpenAPI 3.2's `itemSchema` yet.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if stream := content.get("text/event-stream"):
                stream["schema"] = stream["itemSchema"]["properties"]["data"]["contentSchema"]
    return document


def main() -> None:
    """Print the document for the client's generator."""
    from apps.api.src.core.factory import create_app

    json.dump(for_client(create_app().openapi()), sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
