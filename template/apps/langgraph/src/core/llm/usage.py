"""Tokens and cost of a run, counted in callbacks of the language models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from shared.settings import Price


@dataclass
class Usage:
    """Usage of one language model."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """In the currency of the prices; None if there is no price."""


class UsageRecorder(BaseCallbackHandler):
    """A callback that counts the usage of a run in `by_model`, keyed by the model's name."""

    # In the caller's thread, so that a limit of cost applies before the next call.
    run_inline = True

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self.by_model: dict[str, Usage] = {}
        self._prices = prices
        self._models: dict[UUID, str] = {}

    def add_prices(self, prices: Mapping[str, Price]) -> None:
        """Add the prices of another agent that takes part in the run."""
        self._prices = {**prices, **self._prices}

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # The configured name, as in the prices; responses have a variant of the provider.
        self._models[run_id] = (metadata or {}).get("ls_model_name") or "unknown"

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._models.pop(run_id, None)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        name = self._models.pop(run_id, "unknown")
        usage = self.by_model.setdefault(name, Usage())
        usage.calls += 1
        for generation in (item for batch in response.generations for item in batch):
            message = generation.message if isinstance(generation, ChatGeneration) else None
            if isinstance(message, AIMessage) and message.usage_metadata:
                usage.input_tokens += message.usage_metadata["input_tokens"]
                usage.output_tokens += message.usage_metadata["output_tokens"]
        if price := self._prices.get(name):
            tokens = usage.input_tokens * price.input + usage.output_tokens * price.output
            usage.cost = tokens / 1_000_000
        elif name == "offline":
            usage.cost = 0.0
