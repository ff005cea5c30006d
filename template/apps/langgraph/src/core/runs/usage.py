"""Watches what a run uses, while it uses it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.models import UsageRecorder
from apps.langgraph.src.core.observability import metrics


class RunUsage(UsageRecorder):
    """Tokens and cost of a user's run by model.

    `on_excess` is called, from any thread, once the run costs more than its agent allows.
    """

    # LangChain would call for every node otherwise.
    ignore_chain = ignore_agent = ignore_retriever = ignore_retry = ignore_custom_event = True

    def __init__(self, agent: Agent, user_id: str, on_excess: Callable[[], None]) -> None:
        super().__init__(agent.prices)
        self._agent = agent
        self._user_id = user_id
        self._on_excess = on_excess
        self._started = time.perf_counter()
        self._token_seen = False

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Observe the latency of the run's first token."""
        if not self._token_seen:
            self._token_seen = True
            elapsed = time.perf_counter() - self._started
            metrics.FIRST_TOKEN.labels(self._agent.name).observe(elapsed)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Count the call and compare the cost with the limit."""
        super().on_llm_end(response, run_id=run_id, **kwargs)
        limit = self._agent.limits.max_cost
        known = sum(usage.cost or 0 for usage in self.by_model.values())
        if limit is not None and known > limit:
            self._on_excess()

    def to_json(self) -> dict[str, Any]:
        """The usage by model, as stored with the run."""
        return {model: asdict(usage) for model, usage in self.by_model.items()}

    def count(self) -> None:
        """Add the run's usage to the metrics."""
        for model, usage in self.by_model.items():
            labels = self._agent.name, model, self._user_id
            metrics.TOKENS.labels(*labels, "input").inc(usage.input_tokens)
            metrics.TOKENS.labels(*labels, "output").inc(usage.output_tokens)
            if usage.cost is not None:
                metrics.COST.labels(*labels).inc(usage.cost)
