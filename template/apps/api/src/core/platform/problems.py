"""Errors as problem documents (RFC 9457): what happened and what to do next, never internals."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from apps.api.src.core.platform.schemas import Output
from shared.headers import HEADERS
from shared.outages import outage

log = structlog.get_logger(__name__)


class FieldError(Output):
    """One value of the request that was refused."""

    field: str
    detail: str


class Problem(Output):
    """The body of every error response."""

    title: str
    status: int
    detail: str
    """For people: what happened and what to do."""
    request_id: str | None = None
    """Identifies the request in the logs of all services."""
    errors: list[FieldError] = Field(default_factory=list)


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can fail with these statuses.

    Where a user is needed (401), the limit of requests holds too (429).
    """
    if 401 in statuses:
        statuses = (*statuses, 429)
    content = {ProblemResponse.media_type: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted(set(statuses))
    }


def handle_problems(app: FastAPI) -> None:
    """Turn every error of `app` into a problem document."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> ProblemResponse:
        return _response(error.status_code, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
        errors = [
            FieldError(field=".".join(str(part) for part in item["loc"]), detail=item["msg"])
            for item in error.errors()
        ]
        return _response(422, "The request is not valid: correct the values in `errors`.", errors)

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeoutError)
    async def away(_: Request, error: Exception) -> ProblemResponse:
        detail = outage(error)
        if detail is None:
            # A defect, for the next handler.
            raise error
        if isinstance(error, PoolTimeoutError):
            log.warning("no free connection to the database")
        return _response(503, detail, headers={"Retry-After": "5"})

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> ProblemResponse:
        log.error("request failed", exc_info=error)
        detail = "The service failed on this request: see its log, under the request ID."
        return _response(500, detail, headers=HEADERS)


def _response(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=correlation_id.get(),
        errors=list(errors),
    )
    return ProblemResponse(problem.model_dump(), status, headers)
