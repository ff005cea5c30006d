"""`platform dev`: every service of the project, natively, with hot reload, in one terminal."""

from platform_tools.dev.command import run

__all__ = ["run"]
