"""Routes for operators and developers, who send the service token."""

import hmac
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request


def has_service_token(request: Request) -> bool:
    """Whether the request has the service token, as `Authorization: Bearer …`."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    token = request.app.state.settings.service_token.get_secret_value()
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.encode(), token.encode())


async def require_service_token(request: Request) -> None:
    """Refuse (401) a request without the service token."""
    if not has_service_token(request):
        raise HTTPException(
            401,
            "Send the service token, as `Authorization: Bearer …`.",
            headers={"WWW-Authenticate": "Bearer"},
        )


router = APIRouter(include_in_schema=False, dependencies=[Depends(require_service_token)])


@router.get("/openapi.json")
async def get_openapi(request: Request) -> dict[str, Any]:
    """The OpenAPI document, which shows all routes."""
    document: dict[str, Any] = request.app.openapi()
    return document
