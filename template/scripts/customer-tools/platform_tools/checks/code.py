"""The databases and the agents, asked through the services' own code in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from platform_tools import project
from platform_tools.checks import Finding

# Seconds that a database has to answer, or all agents have to load.
LIMIT = 60
# Each prints JSON: null, or what is wrong.
ASK_API = """
import asyncio, json
from apps.api.src.core.database import Database
from shared.settings import get_settings
print(json.dumps(asyncio.run(Database(get_settings()).problem())))
"""
ASK_LANGGRAPH = """
import json
from sqlalchemy.exc import SQLAlchemyError
from apps.langgraph.src.core.storage.migrations import HISTORY
from shared.database import create_threads_engine, refusal
from shared.settings import get_settings

try:
    with create_threads_engine(get_settings().database_url("agents")).connect() as connection:
        problem = HISTORY.problem(connection)
except (SQLAlchemyError, OSError) as error:
    problem = refusal(error)
print(json.dumps(problem))
"""
# Prints the names of the agents that load, and the errors of the others by name.
ASK_AGENTS = """
import json
from apps.langgraph.src.core.agents.registry import get_registry
registry = get_registry()
registry.load_all()
print(json.dumps([[agent.name for agent in registry.list()], registry.errors]))
"""


class _FailedError(Exception):
    """The services' code does not run; the message is the end of its output."""


def databases() -> Iterator[Finding]:
    """Whether the databases can be reached and have the schema of this release."""
    config = project.settings()
    for name, database, code in (
        ("api", "platform", ASK_API),
        ("langgraph", "agents", ASK_LANGGRAPH),
    ):
        path = make_url(config.database_url(database)).database or ""
        if config.database.kind == "sqlite" and not Path(path).exists():
            # Asking would create it.
            yield Finding("ok", f"{name} database", "none yet; `platform dev` creates it")
            continue
        try:
            problem = _ask(code)
        except _FailedError as error:
            yield Finding("fail", f"{name} database", f"the {name} code fails: {error}")
        else:
            if problem:
                yield Finding("fail", f"{name} database", problem)
            else:
                yield Finding("ok", f"{name} database", "reachable, schema of this release")


def agents() -> Iterator[Finding]:
    """Whether every agent loads."""
    try:
        names, errors = _ask(ASK_AGENTS)
    except _FailedError as error:
        yield Finding("fail", "agents", f"the agents service's code fails: {error}")
        return
    for name, reason in errors.items():
        mend = f"Correct it in apps/langgraph/src/agents/{name}/."
        yield Finding("fail", f"agent {name}", reason, mend)
    if names:
        yield Finding("ok", "agents", f"{', '.join(names)} can be loaded")
    elif not errors:
        yield Finding("warn", "agents", "there are none", "uv run platform new agent NAME")


def _ask(code: str) -> Any:
    """The JSON in the last line that `code` prints. Raises `_FailedError`."""
    try:
        result = subprocess.run(  # noqa: S603  # the code above
            [sys.executable, "-c", code],
            cwd=project.ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        return json.loads(result.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise _FailedError(f"no answer within {LIMIT} s") from None
    except subprocess.CalledProcessError as error:
        raise _FailedError((error.stderr or error.stdout).strip().rpartition("\n")[2]) from None
    except (ValueError, IndexError):
        raise _FailedError("it prints something else than expected") from None
