"""The check before production starts: `python -m shared.settings.production`.

Names every value of `.env.production` that is missing, a placeholder or overridden; exit code 1.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from shared.settings.reading import SettingsError, read_settings
from shared.settings.secrets import PLACEHOLDER, check_secret
from shared.settings.settings import Settings

FILE = ".env.production"
# Compose passes each value that it reads itself under this prefix too.
READ_BY_COMPOSE = "COMPOSE__"
HOST = re.compile(r"[a-z0-9]([a-z0-9.:-]*[a-z0-9])?", re.I)
TLS = re.compile(r"internal|\S+@\S+|/\S+ /\S+")
# In a URL, any other character would have to be escaped.
URL_SAFE = re.compile(r"[\w.~-]+", re.ASCII)
MODEL_KEYS = {"openai": "openai_api_key", "anthropic": "anthropic_api_key"}


def problems(environment: Mapping[str, str]) -> list[str]:
    """What keeps the platform from starting; empty if nothing does."""
    found = [*_overridden(environment), *_address(environment)]
    try:
        settings = read_settings()
    except SettingsError as error:
        found += (_for_production(problem) for problem in error.problems)
    else:
        found += _model(settings)
    return found + [
        f"{name}: {problem}"
        for name, problem in (
            ("AGENTS__WEBHOOK_SECRET", _webhook_secret(environment)),
            _database(environment),
        )
        if problem
    ]


def _overridden(environment: Mapping[str, str]) -> Iterator[str]:
    for variable, value in sorted(environment.items()):
        name = variable.removeprefix(READ_BY_COMPOSE)
        if name != variable and value != environment.get(name, ""):
            yield (
                f"{name}: the file .env or the shell has another value than {FILE}, and Compose "
                f"uses that one: remove {name} there"
            )


def _address(environment: Mapping[str, str]) -> Iterator[str]:
    if not HOST.fullmatch(environment.get("DOMAIN", "")):
        yield "DOMAIN: must be the platform's name in the network, such as platform.acme.example"
    if not TLS.fullmatch(environment.get("TLS", "") or "internal"):
        yield (
            "TLS: must be internal, an e-mail address, or the paths of a certificate and of its "
            "key in /etc/caddy/certificates/"
        )


def _for_production(problem: str) -> str:
    problem = problem.replace(".env", FILE)
    return problem.replace("platform secrets", "platform secrets --production")


def _model(settings: Settings) -> Iterator[str]:
    if urlsplit(settings.model.base_url).hostname in ("127.0.0.1", "localhost"):
        yield (
            "MODEL__BASE_URL: this address is the container itself; a server on this machine has "
            "the name host.docker.internal"
        )
    key = MODEL_KEYS.get(settings.model.provider)
    if key and not getattr(settings, key).get_secret_value():
        yield f"{key.upper()}: missing, and the model's provider needs it"


def _webhook_secret(environment: Mapping[str, str]) -> str:
    return _secret(_value(environment, "AGENTS__WEBHOOK_SECRET"))


def _database(environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable with the database's password, and what is wrong with it."""
    if READ_BY_COMPOSE + "POSTGRES_PASSWORD" in environment:
        password = environment.get("POSTGRES_PASSWORD", "")
        problem = _secret(password)
        if not problem and not URL_SAFE.fullmatch(password):
            problem = "may have letters, digits and .~_- only"
        return "POSTGRES_PASSWORD", problem
    url = _value(environment, "DATABASE__URL")
    if not url:
        # The settings say so where one is needed.
        return "DATABASE__URL", ""
    try:
        password = make_url(url).password or ""
    except ArgumentError:
        return "DATABASE__URL", "must be postgresql+psycopg://USER:PASSWORD@HOST:5432/NAME"
    # Its administrator decides how long it is.
    placeholder = not password or PLACEHOLDER.search(password)
    return "DATABASE__URL", "its password is missing or a placeholder" if placeholder else ""


def _secret(value: str) -> str:
    try:
        check_secret(value, production=True)
    except ValueError as error:
        return _for_production(str(error))
    return ""


def _value(environment: Mapping[str, str], name: str) -> str:
    """A value, or what is in the file that NAME_FILE names."""
    if path := environment.get(f"{name}_FILE"):
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return file.read().strip()
    return environment.get(name, "")


def main() -> int:
    """Print the problems. Returns the exit code."""
    found = problems(os.environ)
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"Not started: change {FILE}, then repeat the command.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
