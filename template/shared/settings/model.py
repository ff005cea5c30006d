"""The table `[model]`: language models and their prices."""

from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

Provider = Literal["offline", "openai", "anthropic", "ollama", "openai-compatible"]


class Price(BaseModel):
    """The price of one million tokens, in any currency as long as all prices have the same."""

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
    """The language model of every agent whose `agent.toml` names no other."""

    api_key: SecretStr = SecretStr("")
    """For `openai-compatible`; the other providers have variables of their own."""
    timeout_seconds: float = Field(60, gt=0)
    max_retries: int = Field(2, ge=0)
    fallbacks: list[ModelChoice] = []
    """Asked in this order when the model fails after its retries."""
    prices: dict[str, Price] = {}
    """By model name; without a price the cost of a model is unknown."""
    offline_only: bool = False
    """For tests: every agent gets the offline model."""
