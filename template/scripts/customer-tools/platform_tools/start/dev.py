"""`platform dev`: every service of the project, natively, with hot reload, in one terminal."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from platform_tools.create import env_file
from platform_tools.errors import PlatformError
from platform_tools.project import ROOT, ports, settings, settings_folder
from platform_tools.start import running
from platform_tools.start.output import say
from platform_tools.start.process import Process
from platform_tools.start.service import PythonService, Service, StartError, WebService
from platform_tools.start.watch import code_changes, settings_changes
from platform_tools.terminal import in_colour

if TYPE_CHECKING:
    from shared.settings import Settings

API = "apps.api.src.core"
LANGGRAPH = "apps.langgraph.src.core"
APPS = {"api": f"{API}.app:app", "langgraph": f"{LANGGRAPH}.app:app"}
# Seconds that the services may take to stop after Ctrl-C.
GRACE = 5.0


def run(*, web: bool, only: str | None = None) -> None:
    """Run the project's services until Ctrl-C, SIGTERM or SIGHUP.

    `web` false leaves out the web service, `only` all but one. Raises `PlatformError` if a port is
    taken, a setting is wrong or a service does not start.
    """
    started = time.monotonic()
    for line in env_file.ensure(settings_folder()):
        say(line)
    config = settings()
    config.data_dir.mkdir(parents=True, exist_ok=True)
    wanted = ports(config, web=web, only=only)
    listeners = open_ports(wanted, str(config.ports.bind), config.data_dir)
    (config.data_dir / running.STATE).unlink(missing_ok=True)
    try:
        asyncio.run(_Run(config, listeners, started).main())
    finally:
        for listener in listeners.values():
            listener.close()
        (config.data_dir / running.STATE).unlink(missing_ok=True)


def open_ports(wanted: dict[str, int], host: str, data_dir: Path) -> dict[str, socket.socket]:
    """Listening sockets by service. Raises `PlatformError` that names every taken port."""
    if other := running.read_state(data_dir):
        raise PlatformError(
            f"platform dev is already running for this project (process {other['pid']}).",
            f"Stop it with Ctrl-C in its terminal, or: kill {other['pid']}",
        )
    listeners, problems = running.listen(wanted, host)
    if problems:
        for listener in listeners.values():
            listener.close()
        lines = (f"Port {one.port} ({one.service}): {one.message}. {one.fix}" for one in problems)
        raise PlatformError("Not started.", "\n".join(lines))
    return listeners


class _Run:
    def __init__(
        self, config: "Settings", listeners: dict[str, socket.socket], started: float
    ) -> None:
        self.config = config
        self.started = started
        self.login: dict[str, str | None] = {}
        self.env: dict[str, str] = {}
        if config.watch_polling:
            # Read by watchfiles and by the web's vite.config.ts.
            self.env["WATCHFILES_FORCE_POLLING"] = "true"
        if in_colour(sys.stdout):
            self.env["FORCE_COLOR"] = "1"
        # SQLite has one writer of the agents' data.
        exclusive = {"langgraph"} if config.database.kind == "sqlite" else set[str]()
        self.services: dict[str, Service] = {}
        for name, listener in listeners.items():
            address = config.ports.address(name)
            if name == "web":
                # The web server opens its port itself: until now the port was reserved for it.
                listener.close()
                self.services[name] = WebService(address, self.env)
                continue
            self.services[name] = PythonService(
                name, APPS[name], address, listener, self.env, exclusive=name in exclusive
            )

    async def main(self) -> None:
        """Run until a failure or a signal to stop; then end all processes."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, stop)
        work = asyncio.create_task(self._work())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                say("stopping … (Ctrl-C again: stop at once)")
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        finally:
            stopped.cancel()
            await Process.stop_all(GRACE)
            self._show_login()
            say("stopped")

    def _on_signal(self, stop: asyncio.Event) -> None:
        if stop.is_set():
            for process in Process.alive:
                process.kill()
        stop.set()

    async def _work(self) -> None:
        failed: PlatformError | None = None
        say(f"preparing the databases, starting {', '.join(self.services)} …")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._reload_on_code())
                group.create_task(self._reload_on_settings())
                migrated = {"api": self._start_api, "langgraph": self._start_langgraph}
                async with asyncio.TaskGroup() as starting:
                    for name, service in self.services.items():
                        starting.create_task(migrated.get(name, service.start)())
                self._ready()
                for service in self.services.values():
                    group.create_task(service.supervise())
        except* StartError:
            failed = PlatformError(
                "Not started: the lines above say why.",
                "`platform doctor` checks settings, tools and ports.",
            )
        except* OSError as errors:
            # Raised by watchfiles at the system's limit of watched files.
            failed = PlatformError(
                f"Stopped: {errors.exceptions[0]}",
                "If it is about watching files: put WATCH_POLLING=true into .env.",
            )
        # An exception raised in `except*` would be wrapped in a group.
        if failed:
            raise failed

    async def _start_langgraph(self) -> None:
        await self._python("langgraph", f"{LANGGRAPH}.migrate")
        await self.services["langgraph"].start()

    async def _start_api(self) -> None:
        await self._python("api", f"{API}.migrate")
        admin = asyncio.create_task(self._ensure_admin())
        try:
            await self.services["api"].start()
        finally:
            # A new password must be shown, whatever else fails or is stopped.
            await admin

    async def _ensure_admin(self) -> None:
        output = await self._python("api", f"{API}.accounts.admin", "ensure")
        # Libraries may print warnings around it.
        self.login = next(json.loads(line) for line in reversed(output) if line.startswith("{"))

    async def _python(self, name: str, *module: str) -> list[str]:
        """The output of a module of the project. Raises `StartError` if it fails."""
        lines: list[str] = []
        process = await Process.start([sys.executable, "-m", *module], lines.append, env=self.env)
        if await process.wait() != 0:
            say("\n".join(lines), name=name)
            say(f"uv run python -m {' '.join(module)} failed", error=True)
            raise StartError
        return lines

    async def _reload_on_code(self) -> None:
        async for names in code_changes(ROOT, polling=self.config.watch_polling):
            for name in names & self.services.keys():
                self.services[name].changed.set()

    async def _reload_on_settings(self) -> None:
        from shared.settings import get_settings

        async for _ in settings_changes(settings_folder(), polling=self.config.watch_polling):
            get_settings.cache_clear()
            try:
                new = settings()
            except PlatformError as error:
                say(f"{error.message}. Keeping the previous settings.", error=True)
                continue
            if (new.ports, new.services) != (self.config.ports, self.config.services):
                say("ports or services have changed: restart `platform dev`", error=True)
                continue
            for name in self.services.keys() - {"web"}:
                self.services[name].changed.set()

    def _ready(self) -> None:
        addresses = {name: service.address for name, service in self.services.items()}
        state = {"pid": os.getpid(), "web": None, **addresses}
        running.write_state(self.config.data_dir, state)
        say("")
        say(f"{self.config.customer.name}: ready in {time.monotonic() - self.started:.1f} s")
        for label, name in (("web", "web"), ("API", "api"), ("agents", "langgraph")):
            if name in addresses:
                say(f"  {label:<10}{addresses[name]}")
        if email := self.login.get("email"):
            say(f"  {'sign in':<10}{email}")
        self._show_login()
        say("Ctrl-C stops everything.")
        say("")

    def _show_login(self) -> None:
        """Show a new administrator's password once, even if everything else fails.

        Only on a terminal: elsewhere, as in a container, output goes to logs.
        """
        if password := self.login.pop("password", None):
            if sys.stdout.isatty():
                say(f"  {'password':<10}{password}   (shown once)")
            else:
                command = f"platform admin reset-password {self.login.get('email')}"
                say(f"  {'password':<10}not in a log; for one: {command}")
        if problem := self.login.pop("problem", None):
            say(problem, error=True)
