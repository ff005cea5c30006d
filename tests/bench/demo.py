"""From a clean clone to a running platform: `make demo`, with empty and warm package caches."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.measuring import run, table
from tests.support.ports import free_ports
from tests.support.template import clone_template

# More than this and something hangs (seconds).
LIMIT = 900


def seconds_to_ready(template: Path, env: dict[str, str], log: Path) -> float:
    """Seconds from `make demo` to the summary of the running platform, which is then stopped."""
    ready = template / ".demo/acme/data/dev.json"
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=template,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            while not ready.exists():
                if process.poll() is not None or time.perf_counter() - start > LIMIT:
                    raise SystemExit(f"make demo did not get ready:\n{log.read_text()}")
                time.sleep(0.02)
            return time.perf_counter() - start
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        ports = dict(zip(("API", "WEB", "LANGGRAPH"), free_ports(3), strict=True))
        env = {
            **os.environ,
            **{f"PORTS__{name}": str(port) for name, port in ports.items()},
            "UV_CACHE_DIR": str(tmp / "uv-cache"),
            "PIP_CACHE_DIR": str(tmp / "pip-cache"),
            "npm_config_cache": str(tmp / "npm-cache"),
        }
        rows = []
        for caches in ("empty", "warm"):
            template = clone_template(tmp / caches)
            rows.append((caches, f"{seconds_to_ready(template, env, tmp / 'demo.log'):.1f}"))
            run("rm", "-rf", template)
        table("From a clean clone to ready (make demo)", ("package caches", "seconds"), rows)


if __name__ == "__main__":
    main()
