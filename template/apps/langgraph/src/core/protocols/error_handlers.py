"""Turns exceptions into responses, in the form of the request's protocol."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from apps.langgraph.src.core.agents.registry import AgentNotFoundError, AgentUnavailableError
from apps.langgraph.src.core.protocols.errors import (
    CheckpointNotFoundError,
    ForbiddenError,
    RequestError,
)
from apps.langgraph.src.core.protocols.openai.errors import is_openai, openai_problem
from apps.langgraph.src.core.runs.runner import ShuttingDownError
from apps.langgraph.src.core.runs.webhooks import WebhookRefusedError
from apps.langgraph.src.core.storage.checkpoints import CheckpointsUnreachableError
from apps.langgraph.src.core.storage.runs import RunNotFoundError, ThreadBusyError
from apps.langgraph.src.core.storage.storage import is_outage
from apps.langgraph.src.core.storage.threads import ThreadExistsError, ThreadNotFoundError
from shared.headers import HEADERS
from shared.outages import outage
from shared.settings import get_settings

# Status and message; an empty message means that of the exception.
RESPONSES: dict[type[Exception], tuple[int, str]] = {
    ThreadNotFoundError: (404, "Thread not found."),
    RunNotFoundError: (404, "Run not found."),
    CheckpointNotFoundError: (404, "Checkpoint not found on the thread."),
    ThreadExistsError: (409, "The thread exists already."),
    ThreadBusyError: (409, "Another run is active on this thread."),
    ShuttingDownError: (503, "The service is shutting down; try again."),
    AgentNotFoundError: (404, ""),
    ForbiddenError: (403, ""),
}


def add_error_handlers(app: FastAPI) -> None:
    """Register the handlers of all errors that reach the application."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        status, text = RESPONSES[type(error)]
        headers = {"Retry-After": "1"} if status == 503 else None
        code = "model_not_found" if status == 404 else None
        return _respond(request, status, text or str(error), headers=headers, code=code)

    for kind in RESPONSES:
        app.add_exception_handler(kind, known)

    @app.exception_handler(WebhookRefusedError)
    @app.exception_handler(RequestError)
    async def invalid(request: Request, error: Exception) -> JSONResponse:
        # In the form of FastAPI's 422, as the OpenAPI document says.
        detail = {"loc": ["body"], "msg": str(error), "type": "value_error"}
        return _respond(request, 422, str(error), [detail])

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without `input`: it may be megabytes, or bytes that are no text.
        detail = [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()]
        problems = (f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
        return _respond(request, 422, "; ".join(problems), detail)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if not is_openai(request):
            return await http_exception_handler(request, error)
        return _respond(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(CheckpointsUnreachableError)
    async def away(request: Request, error: Exception) -> JSONResponse:
        if not is_outage(error):
            # A defect, for the next handler.
            raise error
        text = outage(error) or str(error)
        return _respond(request, 503, text, headers={"Retry-After": "5"})

    @app.exception_handler(AgentUnavailableError)
    async def unavailable(request: Request, error: AgentUnavailableError) -> JSONResponse:
        development = get_settings().environment == "development"
        return _respond(request, 503, str(error) if development else "The agent does not load.")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return _respond(request, 500, "The service failed; see its log.", headers=HEADERS)


def _respond(
    request: Request,
    status: int,
    message: str,
    detail: Any = None,
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
) -> JSONResponse:
    content = {"detail": detail or message}
    if is_openai(request):
        content = openai_problem(status, message, code).model_dump()
    return JSONResponse(content, status, headers=headers)
