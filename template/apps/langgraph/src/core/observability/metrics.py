"""Prometheus metrics of the agents service."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

RUNS = Counter("agent_runs", "Runs that ended.", ["agent", "status"])
RUN_SECONDS = Histogram("agent_run_seconds", "Time a run took.", ["agent"], buckets=SECONDS)
FIRST_TOKEN = Histogram(
    "agent_first_token_seconds",
    "Time from the start of a run to its first token.",
    ["agent"],
    buckets=SECONDS,
)
TOKENS = Counter("agent_tokens", "Tokens used.", ["agent", "model", "kind"])
COST = Counter("agent_cost", "Cost by the platform's price list.", ["agent", "model"])
RUNNING = Gauge("agent_runs_running", "Runs that this replica executes.")
QUEUE_SECONDS = Histogram(
    "agent_queue_seconds", "Time a run waited before it started.", buckets=SECONDS
)
RECOVERED = Counter("agent_runs_recovered", "Runs taken over from a lost replica.")
