"""Services that `platform dev` keeps running through code changes and crashes."""

import asyncio
import contextlib
import io
import os
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from platform_tools.project import ROOT
from platform_tools.start.output import say
from platform_tools.start.process import Process, describe_exit
from platform_tools.start.worker import DRAIN, GRACE

# Seconds: the longest start, and the pauses before a crashed service is restarted.
START_LIMIT = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A service that ran this long before it crashed is not in a crash loop.
STABLE = 10.0


class StartError(Exception):
    """A service did not become ready; its output has the reason."""


class Service(ABC):
    """A service. Subclasses differ in `launch`."""

    def __init__(self, name: str, address: str, env: Mapping[str, str]) -> None:
        self.name = name
        self.address = address
        self.env = env
        self.changed = asyncio.Event()
        """Set when the service's files change."""
        self._process: Process | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def launch(self) -> Process:
        """Start a process and wait until it serves. If not, end it and raise `StartError`."""

    async def start(self) -> None:
        """Start for the first time. Raises `StartError`."""
        self._process = await self.launch()

    async def supervise(self) -> None:
        """Keep the service running until cancelled."""
        pause, since = FIRST_PAUSE, time.monotonic()
        while True:
            if self._process and not await self._change_or_end(self._process):
                await self._replace()
                continue
            if time.monotonic() - since > STABLE:
                pause = FIRST_PAUSE
            say(f"restarting {self.name} in {pause:g} s, or when a file changes", error=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            self.changed.clear()
            with contextlib.suppress(StartError):
                since = time.monotonic()
                self._process = await self.launch()
                say(f"{self.name} restarted")

    async def _change_or_end(self, process: Process) -> bool:
        """Wait for a change of files or the end of `process`; return whether it has ended."""
        change = asyncio.create_task(self.changed.wait())
        end = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                return False
            self._process = None
            say(f"{self.name} {describe_exit(end.result())}", error=True)
            return True
        finally:
            change.cancel()
            end.cancel()

    async def _replace(self) -> None:
        self.changed.clear()
        started = time.monotonic()
        try:
            new = await self.launch()
        except StartError:
            if self._process:
                say(f"{self.name} not reloaded: the last working version stays in use", error=True)
            return
        self._retire()
        self._process = new
        say(f"{self.name} reloaded in {time.monotonic() - started:.1f} s")

    def _retire(self) -> None:
        """Let the current process finish its responses, and end."""
        if self._process:
            task = asyncio.create_task(self._process.stop(DRAIN + GRACE + 2))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
            self._process = None

    async def _start(
        self, command: list[str], cwd: Path = ROOT, pass_fds: tuple[int, ...] = ()
    ) -> Process:
        try:
            return await Process.start(
                command,
                lambda line: say(line, name=self.name),
                env=self.env,
                cwd=cwd,
                pass_fds=pass_fds,
            )
        except OSError as error:
            say(f"{self.name} cannot start: {error}", error=True)
            raise StartError from None

    async def _until_ready(self, process: Process, ready: "asyncio.Task[None]") -> None:
        """Wait for `ready`. If it does not come, end the process and raise `StartError`."""
        end = asyncio.create_task(process.wait())
        try:
            done, _ = await asyncio.wait(
                {ready, end}, timeout=START_LIMIT, return_when=asyncio.FIRST_COMPLETED
            )
            if ready in done and not ready.exception():
                return
            if not done:
                say(f"{self.name} was not ready after {START_LIMIT:g} s", error=True)
            process.kill()
            await process.wait()
            raise StartError
        finally:
            ready.cancel()
            end.cancel()


class PythonService(Service):
    """An ASGI application on a socket that outlives its workers, so that no request is refused.

    `app` is an import path such as `apps.api.src.core.app:app`. An `exclusive` service has one
    worker at a time: the old one ends as soon as the new one's code has loaded, and meanwhile
    requests wait in the socket's queue.
    """

    def __init__(
        self,
        name: str,
        app: str,
        address: str,
        listener: socket.socket,
        env: Mapping[str, str],
        *,
        exclusive: bool = False,
    ) -> None:
        super().__init__(name, address, env)
        self._app = app
        self._listener = listener
        self._exclusive = exclusive

    async def launch(self) -> Process:
        read, write = os.pipe()
        pipe = os.fdopen(read, "rb", buffering=0)
        fds = (self._listener.fileno(), write)
        command = [sys.executable, "-m", "platform_tools.start.worker", self._app, *map(str, fds)]
        try:
            process = await self._start(command, pass_fds=fds)
        except BaseException:
            pipe.close()
            raise
        finally:
            # The worker must hold the only writing end, so that its death ends the pipe.
            os.close(write)
        await self._until_ready(process, asyncio.create_task(self._serves(pipe)))
        return process

    async def _serves(self, pipe: io.FileIO) -> None:
        """Wait for the worker's two bytes. Raises `EOFError` if it ends before."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            await reader.readexactly(1)
            if self._exclusive:
                self._retire()
            await reader.readexactly(1)
        finally:
            transport.close()


class WebService(Service):
    """The web development server; it reloads pages itself."""

    def __init__(self, address: str, env: Mapping[str, str]) -> None:
        # npm and node are in this project's environment.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        super().__init__("web", address, {**env, "PATH": path})

    async def launch(self) -> Process:
        tether = [sys.executable, "-m", "platform_tools.start.tether"]
        # Without Vite's greeting, which shows the address although the API has not started.
        command = [*tether, "npm", "run", "--silent", "dev", "--", "--logLevel", "warn"]
        process = await self._start(command, ROOT / "apps" / "web")
        await self._until_ready(process, asyncio.create_task(_accepts(self.address)))
        return process


async def _accepts(address: str) -> None:
    """Wait until something accepts connections at `address`."""
    url = urlsplit(address)
    while True:
        try:
            _, writer = await asyncio.open_connection(url.hostname, url.port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
