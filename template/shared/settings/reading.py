"""Reads the settings, and explains values that are missing or wrong."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic import ValidationError

from shared.settings.settings import PROJECT_ROOT, Settings


class SettingsError(Exception):
    """Values of `platform.toml` or `.env` are missing or wrong; the message names each."""

    def __init__(self, *problems: str, source: str = "") -> None:
        super().__init__(source + "; ".join(problems))
        self.problems = problems


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once. Raises `SettingsError`."""
    return read_settings()


def read_settings(**values: Any) -> Settings:
    """The settings as the files and the environment have them now, except for `values`.

    Raises `SettingsError`.
    """
    _check_env_file(PROJECT_ROOT / ".env")
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = []
        for detail in error.errors():
            variable = "__".join(str(part) for part in detail["loc"]).upper()
            message = "missing" if detail["type"] == "missing" else detail["msg"]
            message = message.removeprefix("Value error, ")
            problems.append(f"{variable}: {message}".removeprefix(": "))
        raise SettingsError(*problems, source="platform.toml or .env: ") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"platform.toml cannot be read: {error}") from None
    except ValueError as error:
        raise SettingsError(str(error), source="platform.toml or .env: ") from None


def _check_env_file(path: Path) -> None:
    """Raise `SettingsError` for lines that would be skipped with no more than a warning."""
    try:
        if not path.is_file():
            return
        with path.open(encoding="utf-8") as file:
            broken = [binding.original for binding in parse_stream(file) if binding.error]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {error}") from None
    problems = []
    for statement in broken:
        # Empty lines before it are part of it.
        text = statement.string
        line = statement.line + text[: len(text) - len(text.lstrip())].count("\n")
        problems.append(f".env, line {line}: not NAME=value, or a quotation mark is missing")
    if problems:
        raise SettingsError(*problems)
