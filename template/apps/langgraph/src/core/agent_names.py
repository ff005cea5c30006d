"""Which names an agent can have; apart from the rest, so that commands load it at once."""

import re

# First segments of the service's own routes, and those that LangGraph's server protocol may claim.
RESERVED_NAMES = frozenset(
    (
        "a2a",
        "assistants",
        "crons",
        "docs",
        "health",
        "info",
        "mcp",
        "metrics",
        "ok",
        "openapi.json",
        "ready",
        "redoc",
        "runs",
        "store",
        "threads",
        "v1",
        "webhooks",
    )
)
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
MAX_NAME_LENGTH = 60


def check_name(name: str) -> None:
    """Raises `ValueError`, with what to do, if an agent cannot have this name."""
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is one of the service's own addresses; choose another name")
    if len(name) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be an agent's name: use at most {MAX_NAME_LENGTH} lowercase letters, "
            "digits and single hyphens, beginning with a letter, such as order-desk"
        )
