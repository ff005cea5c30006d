"""What all benchmarks share: repeated timing of commands, side by side, and tables."""

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def run(*command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a command quietly; raise `CalledProcessError` when it fails."""
    subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, check=True, capture_output=True
    )


def alternating(actions: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each action, which gets the round's number.

    The actions take turns, so that a busy moment of the machine hits all of them alike.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds):
        for name, action in actions.items():
            start = time.perf_counter()
            action(number)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
