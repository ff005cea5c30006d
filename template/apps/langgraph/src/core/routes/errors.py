"""What went wrong, as answers; each is in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from apps.langgraph.src.core.agents import AgentNotFound, AgentUnavailable
from apps.langgraph.src.core.runs.engine import ShuttingDownError
from apps.langgraph.src.core.runs.webhooks import WebhookRefusedError
from apps.langgraph.src.core.storage.runs import RunNotFoundError, ThreadBusyError
from apps.langgraph.src.core.storage.threads import ThreadExistsError, ThreadNotFoundError
from shared.settings import get_settings

logger = structlog.get_logger(__name__)


class Problem(BaseModel):
    """An error's answer."""

    detail: str


class OpenAIErrorDetail(BaseModel):
    """An error in OpenAI's form."""

    message: str
    type: str
    code: str | None = None


class OpenAIProblem(BaseModel):
    """An error's answer on the routes under `/v1`."""

    error: OpenAIErrorDetail


class RequestError(Exception):
    """The request cannot be served as it is; answered with 422 and the message."""


class ForbiddenError(Exception):
    """The user may not do this; answered with 403 and the message."""


class CheckpointNotFoundError(Exception):
    """The thread has no such checkpoint."""


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of error answers, those of every authenticated route included."""
    return {
        status: {"model": Problem, "description": DESCRIPTIONS[status]}
        for status in sorted({400, 401, *statuses})
    }


def openai_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for the routes under `/v1`."""
    known = {**responses(*statuses), 422: {"description": DESCRIPTIONS[422]}}
    return {status: {**known[status], "model": OpenAIProblem} for status in known}


STARTS_RUN = (403, 404, 409, 413, 429, 503)
"""What a route that starts a run may answer, besides its result and 422."""

# What OpenAI's own service calls these errors.
OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}

DESCRIPTIONS = {
    400: "The request is malformed",
    401: "The service token is missing or wrong",
    403: "The user may not use this agent",
    404: "There is no such agent, thread, run or checkpoint, or it is another user's",
    409: "The thread is busy, exists already, or waits for no answer",
    413: "The request is too large",
    422: "The request is not valid",
    429: "The user has started too many runs",
    500: "The agent failed",
    503: "The agent does not load, or the service is about to stop",
}


def add_error_handlers(app: FastAPI) -> None:
    """Answer the errors of storage, engine and agents."""
    table: dict[type[Exception], tuple[int, str]] = {
        ThreadNotFoundError: (404, "There is no such thread."),
        RunNotFoundError: (404, "There is no such run."),
        CheckpointNotFoundError: (404, "There is no such checkpoint on the thread."),
        ThreadExistsError: (409, "The thread exists already."),
        ThreadBusyError: (409, "Another run is active on this thread."),
        ShuttingDownError: (503, "The service is about to stop; try again."),
        AgentNotFound: (404, ""),
        ForbiddenError: (403, ""),
    }

    async def answer(request: Request, error: Exception) -> JSONResponse:
        status, text = table[type(error)]
        headers = {"Retry-After": "1"} if status == 503 else None
        code = "model_not_found" if status == 404 else None
        return _answer(request, status, text or str(error), headers=headers, code=code)

    for kind in table:
        app.add_exception_handler(kind, answer)

    @app.exception_handler(WebhookRefusedError)
    @app.exception_handler(RequestError)
    async def invalid(request: Request, error: Exception) -> JSONResponse:
        # In the form of FastAPI's own 422, which the document promises.
        detail = {"loc": ["body"], "msg": str(error), "type": "value_error"}
        return _answer(request, 422, str(error), [detail])

    @app.exception_handler(RequestValidationError)
    async def wrong(request: Request, error: RequestValidationError) -> JSONResponse:
        if not _is_openai(request):
            return await request_validation_exception_handler(request, error)
        problems = (f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return _answer(request, 422, "; ".join(problems))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if not _is_openai(request):
            return await http_exception_handler(request, error)
        return _answer(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(AgentUnavailable)
    async def unavailable(request: Request, error: AgentUnavailable) -> JSONResponse:
        development = get_settings().environment == "development"
        return _answer(request, 503, str(error) if development else "The agent does not load.")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return _answer(request, 500, "The service failed; its log has the details.")


def openai_problem(status: int, message: str, code: str | None = None) -> OpenAIProblem:
    """An error in OpenAI's form."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    detail = OpenAIErrorDetail(message=message, type=kind, code=code or OPENAI_CODES.get(status))
    return OpenAIProblem(error=detail)


def _answer(
    request: Request,
    status: int,
    message: str,
    detail: Any = None,
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
) -> JSONResponse:
    content = {"detail": detail or message}
    if _is_openai(request):
        content = openai_problem(status, message, code).model_dump()
    return JSONResponse(content, status, headers=headers)


def _is_openai(request: Request) -> bool:
    return request.url.path.startswith("/v1/")
