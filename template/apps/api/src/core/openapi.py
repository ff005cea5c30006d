"""Print the OpenAPI document, from which the web client is generated.

`python -m apps.api.src.core.openapi > apps/api/openapi.json` needs no settings and no service.
"""

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from apps.api.src.core.problems import Problem
from apps.api.src.core.schemas import AnswerEvent

REFERENCED: dict[str, Any] = {"AnswerEvent": AnswerEvent, "Problem": Problem}
REF = "#/components/schemas/{model}"


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the schemas that routes name only by reference."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = app.openapi_schema.setdefault("components", {}).setdefault("schemas", {})
        for name, model in REFERENCED.items():
            schema = TypeAdapter[Any](model).json_schema(ref_template=REF, mode="serialization")
            schemas.update(schema.pop("$defs", {}))
            schemas[name] = schema
    return app.openapi_schema


def main() -> None:
    """Print the document."""
    from apps.api.src.core.factory import create_app

    json.dump(create_app().openapi(), sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
