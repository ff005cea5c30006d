"""The values of `platform.toml` and `.env`."""

import difflib
from collections.abc import Iterator

from dotenv import dotenv_values
from pydantic import BaseModel

from platform_tools import project
from platform_tools.checks import Finding
from platform_tools.errors import PlatformError

PROVIDER_KEYS = {"openai": "openai_api_key", "anthropic": "anthropic_api_key"}


def settings() -> Iterator[Finding]:
    """Whether every value can be used, and whether `.env` has names that nothing reads."""
    try:
        config = project.settings()
    except PlatformError as error:
        mend = "Correct it in .env or platform.toml; .env.template explains each."
        for line in error.message.removeprefix("platform.toml or .env: ").split("; "):
            yield Finding("fail", "settings", line, mend)
        return
    typos = list(_typos())
    for name, known in typos:
        yield Finding("warn", "settings", f"nothing reads {name} in .env", f"Meant is {known}?")
    key = PROVIDER_KEYS.get(config.model.provider)
    if key and not getattr(config, key).get_secret_value():
        mend = f"Put {key.upper()}= with the key into .env."
        message = f"the model provider {config.model.provider} needs a key"
        yield Finding("fail", "settings", message, mend)
    elif not typos:
        yield Finding("ok", "settings", "platform.toml and .env can be used")


def secrets() -> Iterator[Finding]:
    """Whether the secrets are secret."""
    from shared.settings import SettingsError, read_settings

    env = project.settings_folder() / ".env"
    if not env.exists():
        yield Finding("fail", "secrets", ".env is missing", "uv run platform secrets")
        return
    if env.stat().st_mode & 0o077:
        message = "other users of this machine can read .env"
        yield Finding("warn", "secrets", message, "uv run platform secrets")
    try:
        project.settings()
    except PlatformError:
        return  # `settings` has said why
    try:
        # What production will refuse is found in development.
        read_settings(environment="production")
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("fail", "secrets", problem)
    else:
        yield Finding("ok", "secrets", "set, and no placeholders")


def _typos() -> Iterator[tuple[str, str]]:
    """Names in `.env` that no setting has, with the setting each resembles."""
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
