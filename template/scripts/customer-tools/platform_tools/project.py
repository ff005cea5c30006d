"""Where this project is, and how a command reaches its parts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from platform_tools.errors import PlatformError

if TYPE_CHECKING:
    from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
"""The project's folder: where the code is, and the working directory of every service."""


def settings() -> "Settings":
    """The project's settings. Raises `PlatformError` (code 2) when a value is missing or wrong."""
    from shared.settings import SettingsError, get_settings

    try:
        return get_settings()
    except SettingsError as error:
        raise PlatformError(
            str(error), "`platform doctor` looks at everything else too.", 2
        ) from None


def settings_folder() -> Path:
    """Where `.env`, `platform.toml` and `data/` are: the project, or what `PLATFORM_ROOT` names."""
    from shared.settings import PROJECT_ROOT

    return PROJECT_ROOT


def make_importable() -> None:
    """Let `shared` and `apps` be imported, whatever folder a command is started in."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
