"""Settings of every service: `platform.toml`, overridden by `.env`, overridden by the environment.

A value `key` in the table `[section]` of `platform.toml` is overridden by the variable
`SECTION__KEY`, so that a developer can move a port and a server can set an address without
changing a tracked file. Secrets have no place in `platform.toml`; they come from `.env` only.
"""

import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from dotenv.parser import parse_stream
from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

# Tests, containers and several checkouts on one machine point this at another project's folder.
PROJECT_ROOT = Path(os.environ.get("PLATFORM_ROOT") or Path(__file__).parents[1]).resolve()

Provider = Literal["offline", "openai", "anthropic", "ollama", "openai-compatible"]


class SettingsError(Exception):
    """A value in `platform.toml` or `.env` is missing or wrong; the message says which."""


class Customer(BaseModel):
    """Who runs this platform."""

    name: str
    slug: str
    domain: str
    admin_email: str
    created_on: str


class Services(BaseModel):
    """The optional services that this project contains; API and agents service always run."""

    enabled: list[str] = []


class Ports(BaseModel):
    """TCP ports on 127.0.0.1."""

    api: int = Field(9000, ge=1, le=65535)
    web: int = Field(9001, ge=1, le=65535)
    langgraph: int = Field(6200, ge=1, le=65535)


class Database(BaseModel):
    """Where data is kept. `url` is a SQLAlchemy URL; empty means SQLite files under `data/`."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    url: SecretStr = SecretStr("")


class Price(BaseModel):
    """What one million tokens cost, in whatever currency all prices are given."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class ModelChoice(BaseModel):
    """One language model.

    `name` empty means the provider's default; `base_url` is needed by `openai-compatible`.
    """

    provider: Provider = "offline"
    name: str = ""
    base_url: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.provider == "openai-compatible" and not self.base_url:
            raise ValueError("openai-compatible needs base_url, the address of the model's server")
        return self


class Model(ModelChoice):
    """The language model that agents use unless their `agent.toml` names another."""

    api_key: SecretStr = SecretStr("")
    """For `openai-compatible`; the other providers have a variable of their own."""
    timeout_seconds: float = Field(60, gt=0)
    max_retries: int = Field(2, ge=0)
    fallbacks: list[ModelChoice] = []
    """Asked in this order when the model fails after its retries."""
    prices: dict[str, Price] = {}
    """By model name; a model without a price has an unknown cost."""
    offline_only: bool = False
    """Every agent gets the offline model, whatever it names: for tests."""


class McpServer(BaseModel):
    """How to reach an MCP server: a `command` to start, or the `url` of a running one."""

    command: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    url: str = ""
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has either a command or a url")
        return self


class Mcp(BaseModel):
    """MCP servers by name, for the agents that use them."""

    servers: dict[str, McpServer] = {}


class Agents(BaseModel):
    """How the agents service runs agents; each is the default for every agent and user."""

    max_runs: int = Field(256, ge=1)
    """Runs that one replica executes at a time; further ones wait in the queue."""
    run_seconds: float = Field(3600, gt=0)
    """The longest a run may take, unless the agent says otherwise."""
    max_steps: int = Field(100, ge=1)
    """Steps of a run's graph, unless the agent says otherwise: enough for thirty calls of tools and
    more, and few enough that a model which goes round in circles is noticed."""
    rate_limit: str = "120/minute"
    """Runs that one user may start, in the notation of the library `limits`."""
    max_body_bytes: int = Field(4_000_000, ge=1)
    lease_seconds: float = Field(15, gt=0)
    """A replica that is silent for this long has lost its runs; another continues them."""
    shutdown_seconds: float = Field(20, ge=0)
    """How long a service that stops lets its runs finish before it hands them over."""
    event_hours: float = Field(24, gt=0)
    """How long the stream of a finished run can be replayed."""
    webhook_hosts: list[str] = []
    """Hosts that may be told of a finished run; none unless they are listed."""
    webhook_secret: SecretStr = SecretStr("")
    """Signs webhooks as the Standard Webhooks specification says: `whsec_` and base64. Any other
    text of at least 32 characters is the key itself."""


class Settings(BaseSettings):
    """All settings of the platform.

    Raises `SettingsError` through `get_settings` when a value is missing or wrong.
    """

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env",
        env_file_encoding="utf-8",
        env_nested_delimiter="__",
        toml_file=PROJECT_ROOT / "platform.toml",
        extra="ignore",
    )

    environment: Literal["development", "production"] = "development"
    customer: Customer
    services: Services = Services()
    ports: Ports = Ports()
    database: Database = Database()
    model: Model = Model()
    mcp: Mcp = Mcp()
    agents: Agents = Agents()

    secret_key: SecretStr
    """Signs sessions."""
    service_token: SecretStr
    """What the API shows to the agents service; nothing else may call it."""
    openai_api_key: SecretStr = SecretStr("")
    anthropic_api_key: SecretStr = SecretStr("")
    langgraph_url: str = Field("", pattern=r"^(https?://\S+)?$")
    """Where the API reaches the agents service; empty: on this machine."""
    otel_exporter_otlp_endpoint: str = Field("", pattern=r"^(https?://\S+)?$")
    """Where the agents service sends its traces, by OTLP over HTTP; empty: nowhere."""
    watch_polling: bool = False
    """Development: look for changed files at intervals, where the file system reports none."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def data_dir(self) -> Path:
        """The folder of SQLite files and other state; git ignores it."""
        return PROJECT_ROOT / "data"

    def database_url(self, name: str) -> str:
        """SQLAlchemy URL of the database `name` ("platform" or "agents").

        On PostgreSQL both are tables of one database; on SQLite each is a file with one writer.
        """
        if self.database.kind == "postgresql":
            return self.database.url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / name}.db"

    @model_validator(mode="after")
    def _check(self) -> Self:
        url = self.database.url.get_secret_value()
        if self.database.kind == "postgresql" and not url.startswith("postgresql+psycopg://"):
            raise ValueError(
                "DATABASE__URL must be set in .env, as postgresql+psycopg://USER:PASSWORD@HOST/NAME"
            )
        for name in ("secret_key", "service_token"):
            # Shorter than 32 bytes is guessable; the template's values are 64 hex digits.
            if not re.fullmatch(r"\S{32,}", getattr(self, name).get_secret_value()):
                raise ValueError(
                    f"{name.upper()} must be at least 32 characters; "
                    "`uv run platform secrets` writes what is missing into .env"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before `.env` before `platform.toml`."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises `SettingsError` with one line for each value to mend.
    """
    _check_env_file(PROJECT_ROOT / ".env")
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for detail in error.errors():
            variable = "__".join(str(part) for part in detail["loc"]).upper()
            message = "missing" if detail["type"] == "missing" else detail["msg"]
            lines.append(f"{variable}: {message.removeprefix('Value error, ')}".removeprefix(": "))
        raise SettingsError("platform.toml or .env: " + "; ".join(lines)) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"platform.toml cannot be read: {error}") from None
    except ValueError as error:
        raise SettingsError(f"platform.toml or .env: {error}") from None


def _check_env_file(path: Path) -> None:
    """Raise `SettingsError` for the lines that would be left out, with a warning in the log."""
    try:
        if not path.is_file():
            return
        with path.open(encoding="utf-8") as file:
            broken = [binding.original for binding in parse_stream(file) if binding.error]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {error}") from None
    lines = []
    for statement in broken:
        # Empty lines before it are part of it.
        text = statement.string
        line = statement.line + text[: len(text) - len(text.lstrip())].count("\n")
        lines.append(f".env, line {line}: not NAME=value, or a quotation mark is missing")
    if lines:
        raise SettingsError("; ".join(lines))
