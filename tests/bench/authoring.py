"""Seconds from `platform new agent` to the first answer, and from saving to the new answer."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.authoring.workshop import Workshop, open_workshop
from tests.bench.measuring import table

ROUNDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workshop = open_workshop(Path(folder) / "project")
        try:
            made = [create(workshop, number) for number in range(ROUNDS)]
            saved = [save(workshop, number) for number in range(ROUNDS)]
        finally:
            workshop.stop()
    table(
        "An agent's author: seconds until the running service gives the answer",
        ("after", "median", "slowest", "expected"),
        (
            ("`platform new agent`", *shown(made), "under 10"),
            ("saving a file", *shown(saved), "under 1"),
        ),
    )


def create(workshop: Workshop, number: int) -> float:
    """Create an agent and ask it until it answers."""
    name = f"bench-{number}"
    start = time.perf_counter()
    workshop.run("uv", "run", "platform", "new", "agent", name)
    until(lambda: workshop.output(name, "Hello"))
    return time.perf_counter() - start


def save(workshop: Workshop, number: int) -> float:
    """Change what an agent's tool says and ask until it says so."""
    text = f"noon of day {number}"
    file = workshop.agents / "bench-0/tools.py"
    code = (
        "from langchain_core.tools import tool\n\n\n@tool\ndef current_time() -> str:\n"
        f'    """The current time."""\n    return "{text}"\n\n\nTOOLS = [current_time]\n'
    )
    start = time.perf_counter()
    file.write_text(code)
    until(lambda: text in workshop.output("bench-0", "What time is it?"))
    return time.perf_counter() - start


def until(answered: Callable[[], object]) -> None:
    while not answered():
        time.sleep(0.01)


def shown(values: list[float]) -> tuple[str, str]:
    return f"{statistics.median(values):.2f}", f"{max(values):.2f}"


if __name__ == "__main__":
    main()
