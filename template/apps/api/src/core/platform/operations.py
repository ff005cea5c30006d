"""Routes for operators and developers, who send the service token."""

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

_bearer = HTTPBearer(auto_error=False)


async def require_service_token(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Refuse (401) a request without the service token."""
    token = request.app.state.settings.service_token.get_secret_value()
    if shown is None or not hmac.compare_digest(shown.credentials.encode(), token.encode()):
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
