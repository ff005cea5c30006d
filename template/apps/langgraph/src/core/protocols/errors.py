"""Errors of requests, and their entries in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """The body of an error response."""

    detail: str


class RequestError(Exception):
    """The request cannot be served as it is: 422 with this message."""


class ForbiddenError(Exception):
    """The user may not do this: 403 with this message."""


class CheckpointNotFoundError(Exception):
    """The thread has no such checkpoint."""


STARTS_RUN = (403, 404, 409, 413, 429, 503)
"""Error statuses of a route that starts a run, besides 422."""

DESCRIPTIONS = {
    400: "The request is malformed",
    401: "The service token is missing or wrong",
    403: "The user may not use this agent",
    404: "There is no such agent, thread, run or checkpoint, or it is another user's",
    409: "The thread is busy, exists already, or is not waiting for a decision",
    413: "The request is too large",
    422: "The request is not valid",
    429: "The user has started too many runs",
    500: "The agent failed",
    503: "The agent does not load, or the service is shutting down",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of error responses, including those of every authenticated route."""
    return {
        status: {"model": Problem, "description": DESCRIPTIONS[status]}
        for status in sorted({400, 401, *statuses})
    }
