"""This project: its folder, settings and ports."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from platform_tools.errors import PlatformError

if TYPE_CHECKING:
    from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
"""The project's folder, the working directory of every service."""


def settings() -> "Settings":
    """The project's settings. Raises `PlatformError` (code 2) if a value is missing or wrong."""
    from shared.settings import SettingsError, get_settings

    try:
        return get_settings()
    except SettingsError as error:
        raise PlatformError(str(error), "`platform doctor` checks everything else.", 2) from None


def ports(config: "Settings", *, web: bool = True, only: str | None = None) -> dict[str, int]:
    """The ports of the services that run, by service.

    `web` false leaves out the web service, `only` all but one. Raises `PlatformError` if that one
    is not enabled.
    """
    services = ["langgraph", "api"]
    if web and "web" in config.services.enabled:
        services.append("web")
    if only and only not in services:
        raise PlatformError(
            f"The service {only} is not enabled.", "Add it to `enabled` under [services].", 2
        )
    return {service: getattr(config.ports, service) for service in ([only] if only else services)}


def settings_folder() -> Path:
    """The folder of `.env` and `platform.toml`: the project, or the value of `PLATFORM_ROOT`."""
    from shared.settings import PROJECT_ROOT

    return PROJECT_ROOT


def make_importable() -> None:
    """Make `shared` and `apps` importable, whatever the current folder."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
