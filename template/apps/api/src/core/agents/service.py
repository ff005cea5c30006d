"""The connection to the agents service, through LangGraph's client."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from asgi_correlation_id import correlation_id
from fastapi import HTTPException
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError
from langgraph_sdk.schema import Assistant

from apps.api.src.core.accounts.models import User
from apps.api.src.core.agents.schemas import Agent
from shared.logging import redact_text
from shared.settings import Settings

log = structlog.get_logger(__name__)

NOT_READY = "The agents service is not ready: see its log."
UNREACHABLE = "The agents service cannot be reached: check that it runs, then try again."
UNAVAILABLE = (
    "The agent is not available to you; it may have been removed. Ask your administrator, or start "
    "a conversation with another agent."
)
REFUSES_THE_API = (
    "The agents service refuses the API: SERVICE_TOKEN must be the same for both services."
)
REFERENCE = (
    " Try again; if it fails again, give your administrator the reference number {reference}."
)
REFUSED = "The agents service did not fulfil the request." + REFERENCE
# Roles that may read what an agent or the agents service says about a failure.
TECHNICAL_ROLES = {"admin", "developer"}
# Refusals in words for every user; those of other statuses may hold internals.
PLAIN_STATUSES = (401, 403, 404, 409, 413, 429)
# Seconds. Streams send heartbeats: one that is silent for a minute is dead.
TIMEOUT = httpx.Timeout(60, connect=5)
# Attempts to connect, so that a restart of the agents service goes unnoticed.
CONNECT_RETRIES = 3
# Each reply in progress has a connection; the agents service limits their number.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
MAX_AGENTS = 1000


def connect(settings: Settings) -> LangGraphClient:
    """A client that authenticates with the service token."""
    token = settings.service_token.get_secret_value()
    return LangGraphClient(
        httpx.AsyncClient(
            base_url=settings.agents_service_url,
            transport=httpx.AsyncHTTPTransport(retries=CONNECT_RETRIES, limits=LIMITS),
            timeout=TIMEOUT,
            headers={"Authorization": f"Bearer {token}"},
        )
    )


def on_behalf_of(user: User) -> dict[str, str]:
    """Headers with the user for the agents service, and the request ID for its logs."""
    # Quoted, since headers are ASCII and roles are separated by commas.
    roles = ",".join(map(quote, user.roles))
    headers = {"X-Platform-User": str(user.id), "X-Platform-Roles": roles}
    if request_id := correlation_id.get():
        headers["X-Request-ID"] = request_id
    return headers


KnownAgents = dict[frozenset[str], list[Agent]]
"""The last lists of agents, by roles: for moments when the agents service is being replaced."""


async def agents_for(client: LangGraphClient, user: User, known: KnownAgents) -> list[Agent]:
    """The agents that the user's roles allow; for administrators also those that fail to load.

    While the agents service is away, the last list in `known`. Raises HTTPException 502 when the
    agents service fails.
    """
    roles = frozenset(user.roles)
    try:
        assistants = await client.assistants.search(limit=MAX_AGENTS, headers=on_behalf_of(user))
    except httpx.HTTPError as error:
        if is_away(error) and roles in known:
            return known[roles]
        raise unavailable(error, user) from error
    known[roles] = _agents(assistants, user)
    return known[roles]


def _agents(assistants: Iterable[Assistant], user: User) -> list[Agent]:
    admin = "admin" in user.roles
    agents = []
    for assistant in assistants:
        metadata: dict[str, Any] = dict(assistant.get("metadata") or {})
        # An agent without a description has never loaded; others are served in their last version.
        if assistant.get("description") is None and not admin:
            continue
        agents.append(
            Agent(
                name=assistant["assistant_id"],
                title=assistant["name"],
                description=assistant.get("description") or "",
                icon=metadata.get("icon"),
                group=metadata.get("group") or "",
                error=metadata.get("error") if admin else None,
            )
        )
    return sorted(agents, key=lambda agent: agent.title.lower())


async def problem(client: LangGraphClient) -> str | None:
    """Why the agents service cannot be used, and what to do; None if it can."""
    try:
        # Details are for holders of the token only.
        ready = await client.http.get("/ready")
    except httpx.HTTPError as error:
        return (
            explain(error) if is_plain(error) else "The agents service is not ready: see its log."
        )
    return None if "database" in ready else REFUSES_THE_API


def unavailable(error: httpx.HTTPError, user: User) -> HTTPException:
    """The error (502) for a request that the agents service did not fulfil, in words for `user`."""
    detail = explain(error)
    log.warning("agents service failed", error=detail)
    if not is_plain(error) and TECHNICAL_ROLES.isdisjoint(user.roles):
        detail = REFUSED.format(reference=correlation_id.get())
    return HTTPException(502, detail)


def is_away(error: httpx.HTTPError) -> bool:
    """Whether the agents service is not running, is starting, or is about to stop."""
    return not isinstance(error, APIStatusError) or error.status_code == 503


def is_plain(error: httpx.HTTPError) -> bool:
    """Whether every user may read what `explain` says."""
    return not isinstance(error, APIStatusError) or error.status_code in PLAIN_STATUSES


def explain(error: httpx.HTTPError) -> str:
    """What went wrong in a call, without credentials."""
    if not isinstance(error, APIStatusError):
        return UNREACHABLE
    if error.status_code == 401:
        return REFUSES_THE_API
    if error.status_code in (403, 404):
        # The service's own words may name agents that the user may not use.
        return UNAVAILABLE
    message = error.message
    # Validation errors come as a list, which the client leaves out of its message.
    if isinstance(error.body, dict) and isinstance(problems := error.body.get("detail"), list):
        message = "; ".join(problem["msg"] for problem in problems)
    return redact_text(f"Error from the agents service: {message}")
