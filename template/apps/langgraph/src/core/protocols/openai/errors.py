"""Errors in OpenAI's form."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from apps.langgraph.src.core.protocols.errors import DESCRIPTIONS, problems

# OpenAI's names of these errors.
CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}


class ErrorDetail(BaseModel):
    """An error."""

    message: str
    type: str
    code: str | None = None


class OpenAIProblem(BaseModel):
    """The body of an error response."""

    error: ErrorDetail


def openai_problem(status: int, message: str, code: str | None = None) -> OpenAIProblem:
    """An error in OpenAI's form."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    detail = ErrorDetail(message=message, type=kind, code=code or CODES.get(status))
    return OpenAIProblem(error=detail)


def openai_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of error responses, including 422."""
    known = {**problems(*statuses), 422: {"description": DESCRIPTIONS[422]}}
    return {status: {**known[status], "model": OpenAIProblem} for status in known}


def is_openai(request: Request) -> bool:
    """Whether the request is one of this protocol."""
    return request.url.path.startswith("/v1/")
