"""The table `[ports]`."""

from typing import Literal

from pydantic import BaseModel, Field

HOST = "127.0.0.1"
"""The address that every service binds to."""


class Ports(BaseModel):
    """TCP ports of the services."""

    api: int = Field(9000, ge=1, le=65535)
    web: int = Field(9001, ge=1, le=65535)
    langgraph: int = Field(6200, ge=1, le=65535)

    def address(self, service: Literal["api", "web", "langgraph"]) -> str:
        """The URL of a service for other programs of this machine."""
        return f"http://{HOST}:{getattr(self, service)}"
