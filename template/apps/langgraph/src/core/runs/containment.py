"""Keeps `sys.exit` and the like in an agent's code from ending the service.

The event loop lets SystemExit and KeyboardInterrupt of any task end the process. A run has many
tasks, and LangGraph creates some of them, for nodes and tools.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

_contained: ContextVar[bool] = ContextVar("contained", default=False)


class AgentExitError(Exception):
    """An agent's code raised SystemExit or KeyboardInterrupt, the `__cause__` of this error."""


def contain() -> None:
    """Let tasks that the current one creates from now on raise `AgentExitError` instead."""
    _contained.set(True)


def make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """The task factory of the service's event loop."""
    if not _contained.get():
        return asyncio.Task(work, loop=loop, **options)
    task = asyncio.Task(_translate(work), loop=loop, **options)
    # A coroutine whose task is cancelled before it starts would cause a warning.
    task.add_done_callback(lambda _: work.close())
    return task


async def _translate(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        raise AgentExitError from error
