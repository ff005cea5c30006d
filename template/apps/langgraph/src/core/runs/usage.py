"""The usage of a running run, and its limit of cost."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.llm.usage import Usage, UsageRecorder
from apps.langgraph.src.core.observability import metrics
from apps.langgraph.src.core.storage.records import Run


class RunUsage(UsageRecorder):
    """Tokens and cost of a run by model, including its earlier attempts.

    `on_excess` is called, from any thread, when the run exceeds its agent's limit of cost or has an
    unknown cost; `excess` is then the reason.
    """

    # Without these LangChain would call back for every node.
    ignore_chain = ignore_agent = ignore_retriever = ignore_retry = ignore_custom_event = True

    def __init__(self, agent: Agent, run: Run, on_excess: Callable[[], None]) -> None:
        super().__init__(agent.prices)
        self.by_model = {model: Usage(**used) for model, used in (run.usage or {}).items()}
        self.excess = ""
        self._agent = agent
        self._run = run
        self._on_excess = on_excess
        self._started = time.perf_counter()
        self._token_seen = False

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Record the time to the first token."""
        if not self._token_seen:
            self._token_seen = True
            elapsed = time.perf_counter() - self._started
            metrics.FIRST_TOKEN.labels(self._agent.name).observe(elapsed)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Count the call and check the limit of cost."""
        super().on_llm_end(response, run_id=run_id, **kwargs)
        limit = self._agent.definition.limits.max_cost
        if limit is None:
            return
        unpriced = [model for model, usage in self.by_model.items() if usage.cost is None]
        known = sum(usage.cost or 0 for usage in self.by_model.values())
        if unpriced:
            self.excess = f"The run has a limit of cost, and {unpriced[0]} has no price."
        elif known > limit:
            self.excess = f"The run cost more than its limit of {limit:g}."
        if self.excess:
            self._on_excess()

    def to_json(self) -> dict[str, Any]:
        """The usage by model, as stored with the run."""
        return {model: asdict(usage) for model, usage in self.by_model.items()}

    def count(self) -> None:
        """Add the usage of this attempt to the metrics."""
        for model, usage in self.by_model.items():
            earlier = Usage(**(self._run.usage or {}).get(model, {}))
            labels = self._agent.name, model, self._run.user_id
            tokens = usage.input_tokens - earlier.input_tokens
            metrics.TOKENS.labels(*labels, "input").inc(tokens)
            tokens = usage.output_tokens - earlier.output_tokens
            metrics.TOKENS.labels(*labels, "output").inc(tokens)
            if usage.cost is not None:
                # Prices may be lower than at the earlier attempt.
                metrics.COST.labels(*labels).inc(max(0, usage.cost - (earlier.cost or 0)))
