"""Refuses secrets that anyone could guess."""

import re

from shared.settings import Settings, SettingsError

PLACEHOLDER = re.compile(
    r"change.?(me|this)|place.?holder|your.|example|insecure|default|secret|password|token|xxx|todo|"
    r"0123456789|123456789|abcdef0123",
    re.I,
)
# 64 random hex digits have fewer different characters than this once in a million million times.
MIN_DIFFERENT = 8


def check_secrets(settings: Settings) -> None:
    """Raises `SettingsError` in production if a secret is a placeholder or used twice."""
    if settings.environment != "production":
        return
    values = {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SERVICE_TOKEN": settings.service_token.get_secret_value(),
    }
    for name, value in values.items():
        if PLACEHOLDER.search(value) or len(set(value)) < MIN_DIFFERENT:
            raise SettingsError(
                f"{name} in .env is a placeholder: empty its value, then run "
                "`uv run platform secrets`, which writes a random one."
            )
    if len(set(values.values())) < len(values):
        raise SettingsError(
            "SECRET_KEY and SERVICE_TOKEN in .env are the same: empty one of them, then run "
            "`uv run platform secrets`, which writes another."
        )
