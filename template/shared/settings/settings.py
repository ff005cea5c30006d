"""All settings: the tables, and values that only the environment has."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared.settings.agents import Agents
from shared.settings.api import Api
from shared.settings.customer import Customer
from shared.settings.database import Database
from shared.settings.files import FileSource
from shared.settings.mcp import Mcp
from shared.settings.model import Model
from shared.settings.ports import Ports
from shared.settings.secrets import check_secret
from shared.settings.services import Services

# Tests, containers and several checkouts on one machine set this to another project's folder.
PROJECT_ROOT = Path(os.environ.get("PLATFORM_ROOT") or Path(__file__).parents[2]).resolve()


class Settings(BaseSettings):
    """All settings of the platform; `get_settings` reads them."""

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
    api: Api = Api()
    model: Model = Model()
    mcp: Mcp = Mcp()
    agents: Agents = Agents()

    secret_key: SecretStr
    """Signs sessions."""
    service_token: SecretStr
    """Admits the API to the agents service."""
    openai_api_key: SecretStr = SecretStr("")
    anthropic_api_key: SecretStr = SecretStr("")
    langgraph_url: str = Field("", pattern=r"^(https?://\S+)?$")
    """The agents service's address; empty: its port on this machine."""
    otel_exporter_otlp_endpoint: str = Field("", pattern=r"^(https?://\S+)?$")
    """The receiver of the agents service's traces, by OTLP over HTTP; empty: none."""
    data_dir: Annotated[Path, AfterValidator(lambda path: PROJECT_ROOT / path)] = (
        PROJECT_ROOT / "data"
    )
    """The folder of SQLite files and other state; a relative path is one in the project. Git
    ignores `data`."""
    watch_polling: bool = False
    """Development: look for changed files at intervals, where the file system reports none."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def agents_service_url(self) -> str:
        """The address at which the API reaches the agents service."""
        return self.langgraph_url or self.ports.address("langgraph")

    def database_url(self, name: str) -> str:
        """SQLAlchemy URL of the database `name`: "platform", "agents" or "checkpoints".

        On PostgreSQL all are tables of one database; on SQLite each is a file with one writer.
        """
        if self.database.kind == "postgresql":
            return self.database.url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data_dir / name}.db"

    @field_validator("secret_key", "service_token")
    @classmethod
    def _check_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        production = info.data.get("environment") == "production"
        check_secret(secret.get_secret_value(), production=production)
        return secret

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.environment == "production" and self.secret_key == self.service_token:
            raise ValueError(
                "SECRET_KEY and SERVICE_TOKEN are the same: empty one of them in .env, then run "
                "`uv run platform secrets`, which writes another"
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
        return init_settings, env_settings, FileSource(settings_cls), dotenv_settings, toml
