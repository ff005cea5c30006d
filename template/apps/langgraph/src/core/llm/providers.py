"""The language model of an agent, from `platform.toml` and its `agent.toml`."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, cast

import httpx
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from apps.langgraph.src.core.agents.definition import AgentModel, agent_folder, read_definition
from apps.langgraph.src.core.llm.offline import OfflineChatModel
from shared.settings import Model, ModelChoice, get_settings

# Used where neither platform.toml nor agent.toml names one: medium-sized models that call tools.
DEFAULT_NAMES = {"openai": "gpt-5.4-mini", "anthropic": "claude-sonnet-5", "ollama": "llama3.2"}


def get_llm(anchor: str | Path) -> BaseChatModel:
    """The language model of the agent that contains the file `anchor`: `get_llm(__file__)`.

    Time-out, retries and fall-backs are those configured under `[model]`. The provider is not
    contacted before the first call. Raises `ValueError` with the missing setting.
    """
    settings = get_settings().model
    if settings.offline_only:
        return OfflineChatModel()
    definition = read_definition(agent_folder(anchor))
    config = _merge(settings, definition.model)
    choices = (config, *config.fallbacks)
    if definition.limits.max_cost is not None:
        _check_prices(choices, {**settings.prices, **definition.model.prices})
    first, *others = [_build(choice, config) for choice in choices]
    # RunnableWithFallbacks passes the methods of a chat model on to its first one.
    return cast(BaseChatModel, first.with_fallbacks(others)) if others else first


def _merge(platform: Model, agent: AgentModel) -> Model:
    changes = agent.model_dump(exclude_none=True, exclude={"prices"})
    if changes.get("provider", platform.provider) != platform.provider:
        # The platform's name and address are for its provider.
        changes = {"name": "", "base_url": "", **changes}
    return Model.model_validate({**platform.model_dump(), **changes})


def _build(choice: ModelChoice, config: Model) -> BaseChatModel:
    if choice.provider == "offline":
        return OfflineChatModel()
    name = _name(choice)
    if not name:
        raise ValueError(f"MODEL__NAME is not set: the provider {choice.provider} needs it")
    options: dict[str, Any] = {"base_url": choice.base_url} if choice.base_url else {}
    settings = get_settings()
    match choice.provider:
        case "ollama":
            options["client_kwargs"] = {"timeout": config.timeout_seconds}
            # Ollama's client has no retries; these transports retry connections. They also ignore
            # the environment's proxies: a local server must not be reached through a proxy.
            retries = config.max_retries
            options["sync_client_kwargs"] = {"transport": httpx.HTTPTransport(retries=retries)}
            options["async_client_kwargs"] = {
                "transport": httpx.AsyncHTTPTransport(retries=retries)
            }
        case "anthropic":
            options["api_key"] = _key("ANTHROPIC_API_KEY", settings.anthropic_api_key)
        case "openai":
            options["api_key"] = _key("OPENAI_API_KEY", settings.openai_api_key)
        case "openai-compatible":
            # The client requires a key even if the server does not.
            options["api_key"] = config.api_key.get_secret_value() or "none"
    if choice.provider != "ollama":
        options |= {"timeout": config.timeout_seconds, "max_retries": config.max_retries}
    if choice.provider.startswith("openai"):
        options["stream_usage"] = True
    provider = choice.provider.removesuffix("-compatible")
    llm: BaseChatModel = init_chat_model(name, model_provider=provider, **options)
    return llm


def _name(choice: ModelChoice) -> str:
    return choice.name or DEFAULT_NAMES.get(choice.provider, "")


def _check_prices(choices: Iterable[ModelChoice], prices: Collection[str]) -> None:
    for choice in choices:
        if choice.provider != "offline" and _name(choice) not in prices:
            raise ValueError(
                f"limits.max_cost needs the price of every model, and {_name(choice)} has none: "
                f'add [model.prices."{_name(choice)}"] with input and output to agent.toml'
            )


def _key(variable: str, key: SecretStr) -> str:
    if not key.get_secret_value():
        raise ValueError(f"{variable} is not set: add it to .env and restart the agents service")
    return key.get_secret_value()
