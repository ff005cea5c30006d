"""Prometheus metrics of the agents service."""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# No `_created` series for each counter.
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

RUNS = Counter("agent_runs", "Runs that ended.", ["agent", "status"])
RUN_SECONDS = Histogram("agent_run_seconds", "Duration of a run.", ["agent"], buckets=SECONDS)
FIRST_TOKEN = Histogram(
    "agent_first_token_seconds",
    "Time from the start of a run to its first token.",
    ["agent"],
    buckets=SECONDS,
)
TOKENS = Counter("agent_tokens", "Tokens used.", ["agent", "model", "user", "kind"])
COST = Counter("agent_cost", "Cost by the configured prices.", ["agent", "model", "user"])
RUNNING = Gauge("agent_runs_running", "Runs that execute on this replica.")
WAITING = Gauge("agent_runs_waiting", "Runs in the queue of all replicas.")
QUEUE_SECONDS = Histogram("agent_queue_seconds", "Time a run waited in the queue.", buckets=SECONDS)
RECOVERED = Counter("agent_runs_recovered", "Runs taken over from a lost replica.")
