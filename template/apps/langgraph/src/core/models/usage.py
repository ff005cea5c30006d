"""Tokens and cost of a run, counted where every model call passes."""

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
    """What calls to one model used."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """In the currency of the prices; None if the model has no price."""


class UsageRecorder(BaseCallbackHandler):
    """Counts the usage of a run: give it to the run as a callback, then read `by_model`."""

    # In the caller's own thread, so that a limit on cost sees each call before the next one.
    run_inline = True

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self.by_model: dict[str, Usage] = {}
        self._prices = prices
        self._models: dict[UUID, str] = {}

    def add_prices(self, prices: Mapping[str, Price]) -> None:
        """Learn the prices of an agent that is asked within the run."""
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
        # The name as configured, which the prices use; answers carry the provider's own variant.
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
