"""Keeps an agent that ends its process, by `sys.exit` for example, from ending the service.

An event loop passes SystemExit and KeyboardInterrupt on to whoever runs it, from every task. A run
has many tasks, and not all of them are made here: LangGraph makes some for nodes and for tools.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

_contained: ContextVar[bool] = ContextVar("contained", default=False)


class AgentExitError(Exception):
    """An agent's code raised SystemExit or KeyboardInterrupt, which is the cause of this."""


def contain() -> None:
    """From here on, the tasks that the current one makes fail in such a case, like with others."""
    _contained.set(True)


def make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """A task factory for the service's event loop."""
    if not _contained.get():
        return asyncio.Task(work, loop=loop, **options)
    task = asyncio.Task(_translate(work), loop=loop, **options)
    # Python warns of work that never began because its task was cancelled before.
    task.add_done_callback(lambda _: work.close())
    return task


async def _translate(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    except (SystemExit, KeyboardInterrupt) as error:
        raise AgentExitError from error
