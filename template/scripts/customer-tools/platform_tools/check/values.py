"""The values of `platform.toml` and `.env`."""

import difflib
from collections.abc import Iterator

from dotenv import dotenv_values
from pydantic import BaseModel

from platform_tools import project
from platform_tools.check import Finding

PROVIDER_KEYS = {"openai": "openai_api_key", "anthropic": "anthropic_api_key"}


def settings() -> Iterator[Finding]:
    """Whether every value is valid, and whether `.env` has misspelt names."""
    from shared.settings import SettingsError, read_settings

    try:
        config = read_settings()
    except SettingsError as error:
        fix = "Correct it in .env or platform.toml; .env.template explains each."
        for problem in error.problems:
            yield Finding("fail", "settings", problem, fix)
        return
    typos = list(_typos())
    for name, known in typos:
        message = f"unknown variable {name} in .env"
        yield Finding("warn", "settings", message, f"Did you mean {known}?")
    key = PROVIDER_KEYS.get(config.model.provider)
    if key and not getattr(config, key).get_secret_value():
        message = f"the model provider {config.model.provider} needs a key"
        yield Finding("fail", "settings", message, f"Put {key.upper()}= with the key into .env.")
    elif not typos:
        yield Finding("ok", "settings", "platform.toml and .env are valid")


def secrets() -> Iterator[Finding]:
    """Whether the secrets are set and private."""
    from shared.settings import SettingsError, read_settings

    env = project.settings_folder() / ".env"
    if not env.exists():
        yield Finding("fail", "secrets", ".env is missing", "uv run platform secrets")
        return
    if env.stat().st_mode & 0o077:
        message = "other users of this machine can read .env"
        yield Finding("warn", "secrets", message, "uv run platform secrets")
    try:
        read_settings()
    except SettingsError:
        return  # reported by `settings`
    try:
        # Find in development what production refuses.
        read_settings(environment="production")
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("fail", "secrets", problem)
    else:
        yield Finding("ok", "secrets", "set, and no placeholders")


def _typos() -> Iterator[tuple[str, str]]:
    """Variables in `.env` without a setting, each with the name that it resembles."""
    from shared.settings import Settings

    known = list(_names(Settings))
    for name in dotenv_values(project.settings_folder() / ".env"):
        similar = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        if name.upper() not in known and similar:
            yield name, similar[0]


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"
