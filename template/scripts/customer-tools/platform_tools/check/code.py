"""The databases' schemas and the agents' code."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from platform_tools import project
from platform_tools.check import Finding

# Seconds for a database to respond, or for all agents to load.
LIMIT = 60
# Prints the names of the agents that load, and the errors of the others by name.
LOAD_AGENTS = """
import json
from apps.langgraph.src.core.agents.registry import get_registry
registry = get_registry()
registry.load_all()
print(json.dumps([[agent.name for agent in registry.list()], registry.errors]))
"""


def databases() -> Iterator[Finding]:
    """Whether the databases can be reached and have the schema of this release."""
    from apps.api.src.core.migrations import HISTORY as API
    from apps.langgraph.src.core.storage.migrations import HISTORY as LANGGRAPH

    config = project.settings()
    histories = (("api", "platform", API), ("langgraph", "agents", LANGGRAPH))
    for service, database, history in histories:
        name, url = f"{service} database", make_url(config.database_url(database))
        if config.database.kind == "postgresql":
            url = url.update_query_dict({"connect_timeout": str(LIMIT)})
        elif not Path(url.database or "").exists():
            # Connecting would create it.
            yield Finding("ok", name, "none yet; `platform dev` creates it")
            continue
        if problem := history.problem_at(url):
            yield Finding("fail", name, problem)
        else:
            yield Finding("ok", name, "reachable, schema of this release")


def agents() -> Iterator[Finding]:
    """Whether every agent loads; in a process of its own, as agents are any code."""
    try:
        done = subprocess.run(  # noqa: S603  # the code above
            [sys.executable, "-c", LOAD_AGENTS],
            cwd=project.ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        names, errors = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        yield Finding("fail", "agents", f"not loaded within {LIMIT} s")
        return
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout).strip().rpartition("\n")[2]
        yield Finding("fail", "agents", f"the agents service's code fails: {reason}")
        return
    except (ValueError, IndexError):
        yield Finding("fail", "agents", "the agents service's code prints unexpected output")
        return
    for name, reason in errors.items():
        fix = f"Correct it in apps/langgraph/src/agents/{name}/."
        yield Finding("fail", f"agent {name}", reason, fix)
    if names:
        yield Finding("ok", "agents", f"{', '.join(names)} can be loaded")
    elif not errors:
        yield Finding("warn", "agents", "there are none", "uv run platform new agent NAME")
