"""The table `[database]`."""

from typing import Literal, Self

from pydantic import BaseModel, SecretStr, model_validator


class Database(BaseModel):
    """The database. `url` is a SQLAlchemy URL; empty for SQLite, whose files are in `data/`."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    url: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _check(self) -> Self:
        url = self.url.get_secret_value()
        if self.kind == "postgresql" and not url.startswith("postgresql+psycopg://"):
            raise ValueError(
                "DATABASE__URL must be set in .env, as postgresql+psycopg://USER:PASSWORD@HOST/NAME"
            )
        return self
