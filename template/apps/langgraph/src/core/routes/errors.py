"""What went wrong, as answers; each is in the OpenAPI document."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

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


class RequestError(Exception):
    """The request cannot be served as it is; answered with 422 and the message."""


class ForbiddenError(Exception):
    """The user may not do this; answered with 403 and the message."""


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of error answers, those of every authenticated route included."""
    return {
        status: {"model": Problem, "description": DESCRIPTIONS[status]}
        for status in sorted({400, 401, *statuses})
    }


STARTS_RUN = (403, 404, 409, 413, 429, 503)
"""What a route that starts a run may answer, besides its result and 422."""

DESCRIPTIONS = {
    400: "The request is malformed",
    401: "The service token is missing or wrong",
    403: "The user may not use this agent",
    404: "There is no such agent, thread or run, or it is another user's",
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
        ThreadExistsError: (409, "The thread exists already."),
        ThreadBusyError: (409, "Another run is active on this thread."),
        ShuttingDownError: (503, "The service is about to stop; try again."),
        AgentNotFound: (404, ""),
        ForbiddenError: (403, ""),
    }

    async def answer(_: Request, error: Exception) -> JSONResponse:
        status, text = table[type(error)]
        headers = {"Retry-After": "1"} if status == 503 else None
        return JSONResponse({"detail": text or str(error)}, status, headers=headers)

    for kind in table:
        app.add_exception_handler(kind, answer)

    @app.exception_handler(WebhookRefusedError)
    @app.exception_handler(RequestError)
    async def invalid(_: Request, error: Exception) -> JSONResponse:
        # In the form of FastAPI's own 422, which the document promises.
        detail = {"loc": ["body"], "msg": str(error), "type": "value_error"}
        return JSONResponse({"detail": [detail]}, 422)

    @app.exception_handler(AgentUnavailable)
    async def unavailable(_: Request, error: AgentUnavailable) -> JSONResponse:
        development = get_settings().environment == "development"
        return JSONResponse(
            {"detail": str(error) if development else "The agent does not load."}, 503
        )

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "The service failed; its log has the details."}, 500)
