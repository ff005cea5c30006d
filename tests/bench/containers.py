"""Development and production in containers: builds, sizes, starts, edits, memory, Caddy."""

import http.client
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.measuring import table
from tests.containers import production as prod
from tests.containers import test_development as dev
from tests.support.engine import Stack, docker
from tests.support.template import clone_template, run_copier

SECONDS = 5
CONNECTIONS = 4
BASES = {"web": "debian:trixie-slim", "caddy": "debian:trixie-slim"}
PYTHON = "python:3.13-slim-trixie"


def seconds(work: Callable[[], object]) -> str:
    start = time.perf_counter()
    work()
    return f"{time.perf_counter() - start:.1f}"


def builds(stack: Stack, edited: str) -> list[str]:
    """Seconds of a build with no layer of ours, a repeated one, and one after an edit."""
    cold = seconds(lambda: stack.compose("build", "--no-cache"))
    warm = seconds(lambda: stack.compose("build"))
    with (stack.root / edited).open("a") as file:
        file.write("\n# edited\n")
    return [cold, warm, seconds(lambda: stack.compose("build"))]


def memory(stack: Stack) -> list[tuple[str, str]]:
    """Each service's memory at rest."""
    names = stack.compose("ps", "--format", "{{.Service}} {{.Name}}").split("\n")
    found = []
    for service, name in (line.split() for line in names if line):
        shown = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", name)
        found.append((service, shown.split(" / ")[0]))
    return found


def rate(connect: Callable[[], http.client.HTTPConnection], path: str) -> float:
    """Requests per second on a few open connections."""
    counts = [0] * CONNECTIONS
    end = time.monotonic() + SECONDS

    def ask(number: int) -> None:
        connection = connect()
        while time.monotonic() < end:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, response.status
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def caddy_and_api(one: prod.Production) -> list[tuple[str, str, str]]:
    networks = one.stack.inspect("api")["NetworkSettings"]["Networks"]
    address = next(value["IPAddress"] for name, value in networks.items() if "front" in name)
    context: ssl.SSLContext = one.tls

    def through_caddy() -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(prod.HOST, one.https, context=context)

    rounds = [
        (
            rate(lambda: http.client.HTTPConnection(address, 9000), "/health"),
            rate(through_caddy, "/api/health"),
        )
        for _ in range(3)
    ]
    alone, proxied = sorted(rounds, key=lambda pair: pair[1] / pair[0])[1]
    return [
        ("the API alone", f"{alone:.0f}", "1"),
        ("through Caddy, with TLS", f"{proxied:.0f}", f"{proxied / alone:.2f}"),
    ]


def copy(template: Path, destination: Path, database: str) -> Path:
    data = (f"--data=database={database}", f"--data=admin_email={dev.ADMIN}")
    run_copier("copy", "--trust", "--defaults", "--quiet", *data, template, destination)
    return destination


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        template = clone_template(Path(folder) / "template")
        rows, starts = [], []

        root = copy(template, Path(folder) / "bench-dev", "sqlite")
        name = f"bench-dev-{os.getpid()}"
        first = Stack(root, "docker-compose.dev.yml", name, {"COMPOSE_PROJECT_NAME": name})
        rows.append(("development", *builds(first, "apps/api/pyproject.toml")))
        begun = time.perf_counter()
        running = dev.start(root)
        starts.append(("development", f"{time.perf_counter() - begun:.1f}"))
        try:
            live = dev.edit_everything(running)
            used = [("development", *one) for one in memory(running.stack)]
        finally:
            dev.remove(running.stack)

        root = copy(template, Path(folder) / "bench-prod", "postgresql")
        name = f"bench-prod-{os.getpid()}"
        second = Stack(root, "docker-compose.prod.yml", name, {"COMPOSE_PROJECT_NAME": name})
        try:
            one = prod.start(second)
            rows.append(("production", *builds(second, "apps/api/src/core/app.py")))
            second.compose("down")
            starts.append(("production", seconds(second.up)))
            used += [("production", *entry) for entry in memory(second)]
            sizes = []
            for service in ("api", "langgraph", "web", "caddy"):
                size = int(docker("image", "inspect", "--format", "{{.Size}}", f"{name}-{service}"))
                base = docker(
                    "image", "inspect", "--format", "{{.Size}}", BASES.get(service, PYTHON)
                )
                sizes.append((service, f"{(size - int(base)) / 1e6:.0f}"))
            rates = caddy_and_api(one)
        finally:
            second.down()

    table(
        "Builds of the images, seconds (package caches warm)",
        ("", "no layer cached", "nothing changed", "the API changed"),
        rows,
    )
    table("Images over their base, MB", ("image", "MB"), sizes)
    table("From `up` to healthy, seconds", ("", "seconds"), starts)
    table(
        "From an edit to live in development, seconds",
        ("edit of", "seconds"),
        [(what, f"{took:.1f}") for what, took in live.items()],
    )
    table("Memory at rest", ("", "service", "memory"), used)
    table("Requests per second", ("", "requests/s", "ratio"), rates)


if __name__ == "__main__":
    main()
