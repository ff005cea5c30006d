"""Valid names of agents. This module imports nothing else, so that commands start fast."""

import re

# First path segments of the service's routes, and those reserved by LangGraph's server protocol.
SERVICE = {"docs", "health", "info", "metrics", "ok", "openapi.json", "ready", "redoc", "v1"}
PROTOCOL = {"a2a", "assistants", "crons", "mcp", "runs", "store", "threads", "webhooks"}
RESERVED_NAMES = SERVICE | PROTOCOL
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
MAX_NAME_LENGTH = 60


def check_name(name: str) -> None:
    """Raise `ValueError`, saying what to do, unless `name` is valid for an agent."""
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is an address of the agents service; choose another name")
    if len(name) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a valid agent name: use at most {MAX_NAME_LENGTH} lowercase letters, "
            "digits and single hyphens, starting with a letter, such as order-desk"
        )
