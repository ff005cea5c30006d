"""The agent's tools. The language model reads their names, types and docstrings."""

from datetime import UTC, datetime

from langchain_core.tools import tool


@tool
def current_time() -> str:
    """The current date and time."""
    return f"{datetime.now(UTC):%A, %d %B %Y, %H:%M} UTC"


TOOLS = [current_time]
