"""Child processes that end together with all their descendants."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from platform_tools.project import ROOT

# Longer lines are cut, so that a child cannot fill the memory.
LINE_LIMIT = 64 * 1024


class Process(asyncio.SubprocessProtocol):
    """A child that leads a process group.

    Its standard input is open as long as this process lives, so that a child can notice even a
    killed parent. Ctrl-C in the terminal reaches the parent only.
    """

    alive: ClassVar[set["Process"]] = set()
    """All processes that have not ended."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.pid = 0
        self._on_line = on_line
        self._rest = b""
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        on_line: Callable[[str], None],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        pass_fds: Sequence[int] = (),
    ) -> "Process":
        """Start `command`; `on_line` is called with each line of its output and errors.

        `env` is added to this process's environment. Raises `OSError` if it cannot start.
        """
        _, process = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(on_line),
            *command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return process

    async def wait(self) -> int:
        """Wait for the process to end and its group to be killed; return the exit code.

        The code is negative for a signal, as in `subprocess`.
        """
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> None:
        """Send SIGTERM to the whole group, and SIGKILL after `grace` seconds."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), grace)
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """Send SIGKILL to the whole group."""
        self._signal(signal.SIGKILL)

    @classmethod
    async def stop_all(cls, grace: float) -> None:
        """Stop all processes."""
        await asyncio.gather(*(process.stop(grace) for process in list(cls.alive)))

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101  # by protocol
        self._transport = transport
        self.pid = transport.get_pid() or 0
        self.alive.add(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_LIMIT:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def process_exited(self) -> None:
        # The children of a killed leader are still in its group.
        self.kill()
        # A descendant that left the group may keep the output open.
        asyncio.get_running_loop().call_later(1, self._finish)

    def connection_lost(self, _: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._ended.done():
            return
        if self._rest:
            self._on_line(self._rest.decode(errors="replace"))
        code = self._transport.get_returncode()
        self._transport.close()
        self.alive.discard(self)
        self._ended.set_result(-signal.SIGKILL if code is None else code)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def describe_exit(code: int) -> str:
    """An exit code of `Process.wait` in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
