"""The agents service under load, against the same graph called in-process, and against Aegra.

In-process means LangGraph's own asynchronous checkpointer on the same kind of database, as its
documentation shows it, with the service's setting of SQLite's `synchronous`. Each run is on a new
thread, which the service stores and the call in-process does not. Aegra has no runs without a
thread: in that comparison both servers get threads that were made before the clock starts.

The client and the servers share the machine's cores, so the ratios are what to look at.
"""

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.agents.service import HERE, PYTHON, TEMPLATE, Service, running
from tests.bench.agents_aegra import aegra
from tests.bench.agents_client import Measured, served
from tests.bench.measuring import table
from tests.support.postgresql import new_database, postgresql

# Concurrent streams and how many runs are measured with them.
LOADS = {1: 200, 50: 600, 200: 1000}
# Aegra takes so much longer that fewer have to do.
LESS = 4
ROUNDS = 3
Pairs = Sequence[tuple[Measured, Measured]]


def in_process(url: str, agent: str, concurrency: int, runs: int) -> Measured:
    script = Path(__file__).with_name("agents_in_process.py")
    env = {**os.environ, "PYTHONPATH": str(TEMPLATE), "PLATFORM_ROOT": str(HERE / "agents")}
    done = subprocess.run(
        [PYTHON, script, url, agent, str(concurrency), str(runs)],
        env={**env, **settings_of_nobody()},
        capture_output=True,
        text=True,
        check=True,
    )
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def settings_of_nobody() -> dict[str, str]:
    """What the agents' registry reads of the settings, for a process without a platform."""
    names = ("NAME", "SLUG", "ADMIN_EMAIL")
    secrets = {"SERVICE_TOKEN": "x" * 32, "SECRET_KEY": "x" * 32}
    return {**{f"CUSTOMER__{name}": "bench" for name in names}, **secrets}


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, tuple[str, dict[str, str]]]]:
    """For each kind: the checkpointer's URL for the yardstick, and the service's settings."""
    with postgresql() as url:
        yield {
            "SQLite": (f"sqlite:///{folder}/yardstick.db", {}),
            "PostgreSQL": (url, {"DATABASE__KIND": "postgresql", "DATABASE__URL": url}),
        }


def main() -> None:
    with tempfile.TemporaryDirectory() as name, databases(Path(name)) as kinds:
        for kind, (url, settings) in kinds.items():
            root = Path(name) / kind
            root.mkdir()
            with running(root, **settings, LOG_LEVEL="warning") as service:
                compare_in_process(kind, url, service)
                if kind == "PostgreSQL":
                    other = Path(name) / "aegra"
                    other.mkdir()
                    with aegra(other, new_database(url)) as port:
                        compare_with_aegra(service, port)


def compare_in_process(kind: str, url: str, service: Service) -> None:
    """Print one table: the service against the graph in-process, on one kind of database."""
    idle = service.memory()
    rows = []
    for concurrency, runs in LOADS.items():
        pairs = [
            (
                in_process(url, "echo", concurrency, runs),
                served(service.port, "echo", concurrency, runs),
            )
            for _ in range(ROUNDS)
        ]
        if concurrency == 1:
            rows.append(latency("latency of a run (ms)", pairs))
        rows.append(throughput(concurrency, pairs))
    pairs = [
        (in_process(url, "talker", 1, 100), served(service.port, "talker", 1, 100))
        for _ in range(ROUNDS)
    ]
    rows.append(latency("first of 20 tokens (ms)", pairs, first=True))
    rows.append(("memory, idle → after (MiB)", "", f"{idle:.0f} → {service.memory():.0f}", ""))
    table(
        f"Agents service on {kind}: one-node graph, the same kind of checkpointer",
        ("", "in-process", "service", "service ÷ in-process"),
        rows,
    )


def compare_with_aegra(service: Service, port: int) -> None:
    """Print one table: the service against Aegra, both on PostgreSQL."""
    rows = []
    for concurrency, runs in LOADS.items():
        pairs = [
            (
                served(port, "echo", concurrency, runs // LESS, new_threads=False),
                served(service.port, "echo", concurrency, runs // LESS, new_threads=False),
            )
            for _ in range(ROUNDS)
        ]
        if concurrency == 1:
            rows.append(latency("latency of a run (ms)", pairs))
        rows.append(throughput(concurrency, pairs))
    pairs = [
        (
            served(port, "talker", 1, 50, new_threads=False),
            served(service.port, "talker", 1, 50, new_threads=False),
        )
        for _ in range(ROUNDS)
    ]
    rows.append(latency("first of 20 tokens (ms)", pairs, first=True))
    table(
        "Agents service and Aegra on PostgreSQL: one-node graph, threads made before",
        ("", "Aegra", "service", "service ÷ Aegra"),
        rows,
    )


def latency(name: str, pairs: Pairs, *, first: bool = False) -> tuple[str, ...]:
    theirs, ours = (
        1000
        * statistics.median(
            statistics.median(pair[n].first if first else pair[n].seconds) for pair in pairs
        )
        for n in (0, 1)
    )
    return name, f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}"


def throughput(concurrency: int, pairs: Pairs) -> tuple[str, ...]:
    theirs, ours = (statistics.median(pair[n].runs_per_second for pair in pairs) for n in (0, 1))
    name = f"runs/s, {concurrency} stream{'s' if concurrency > 1 else ''}"
    return name, f"{theirs:.0f}", f"{ours:.0f}", f"{ours / theirs:.2f}"


if __name__ == "__main__":
    main()
