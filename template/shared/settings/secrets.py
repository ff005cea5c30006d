"""Which secrets are accepted."""

import re

PLACEHOLDER = re.compile(
    r"change.?(me|this)|place.?holder|your.|example|insecure|default|secret|password|token|xxx|todo|"
    r"0123456789|123456789|abcdef0123",
    re.I,
)
# The same for base64, in which short words happen by chance.
PLACEHOLDER_BASE64 = re.compile(
    r"change.?(me|this)|place.?holder|example|insecure|password|0123456", re.I
)
# Shorter than 32 bytes is guessable; the template's values are 64 hex digits.
MIN_LENGTH = 32
# One in 10^12 random values of 64 hex digits has fewer different characters than this.
MIN_DIFFERENT = 8


def check_secret(value: str, *, production: bool) -> None:
    """Raise `ValueError`, saying what to do, for a short secret and in production a placeholder."""
    if not re.fullmatch(rf"\S{{{MIN_LENGTH},}}", value):
        raise ValueError(
            f"must be at least {MIN_LENGTH} characters: "
            "`uv run platform secrets` writes what is missing into .env"
        )
    placeholder = PLACEHOLDER_BASE64 if value.startswith("whsec_") else PLACEHOLDER
    if production and (placeholder.search(value) or len(set(value)) < MIN_DIFFERENT):
        raise ValueError(
            "is a placeholder: empty its value in .env, then run `uv run platform secrets`, "
            "which writes a random one"
        )
