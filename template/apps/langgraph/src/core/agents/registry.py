"""The agents of a folder, kept up to date while their authors work."""

import asyncio
import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from functools import lru_cache
from pathlib import Path

import structlog
from watchfiles import awatch

from apps.langgraph.src.core.agent_names import MAX_NAME_LENGTH, NAME_PATTERN, check_name
from apps.langgraph.src.core.agents.definition import Agent, read_definition
from apps.langgraph.src.core.agents.loading import (
    explain,
    load_graph,
    register_package,
    source_version,
)
from shared.settings import get_settings

log = structlog.get_logger(__name__)

AGENTS_FOLDER = Path(__file__).resolve().parents[2] / "agents"
# The agents' import name, the same in the service, in pytest and in LangGraph's own tools.
AGENTS_PACKAGE = "apps.langgraph.src.agents"

# Seconds that the import of an agent may take: one that hangs must not hold up others.
LOAD_SECONDS = 30
# Seconds until the folder is followed again when that has failed.
RETRY = 1


class AgentNotFound(LookupError):  # noqa: N818
    """There is no agent of that name."""


class AgentUnavailable(RuntimeError):  # noqa: N818
    """The agent has never loaded; `error` says to its author why."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__(f"The agent {name!r} does not load: {error}")
        self.error = error


@lru_cache
def get_registry(folder: Path = AGENTS_FOLDER) -> "AgentRegistry":
    """The one registry of `folder` in this process."""
    return AgentRegistry(folder)


class AgentRegistry:
    """Agents by name, from the folders `folder/*/graph.py`.

    A new version takes over only when it has loaded: until then, and while it is broken, the last
    good version is served and `errors` says what is wrong. A run keeps the graph it began with.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.errors: dict[str, str] = {}
        self._agents: dict[str, Agent] = {}
        self._tried: dict[str, str] = {}  # the version that was loaded last, or failed to
        # The latest load of each agent: two at a time would take each other's modules.
        self._loading: dict[str, _Loading] = {}
        self._lock = threading.Lock()
        if self.folder == AGENTS_FOLDER:
            self._package = AGENTS_PACKAGE
        else:
            self._package = f"agents_{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"

    def load_all(self) -> None:
        """Load what is new or changed, and forget what is gone."""
        for name in self._names():
            self.load(name)

    def get(self, name: str) -> Agent:
        """The newest good version of an agent; one that was never looked for is loaded.

        Raises `AgentNotFound`, or `AgentUnavailable` if no version has ever loaded.
        """
        if self._unseen(name):
            self.load(name)
        if agent := self._agents.get(name):
            return agent
        if error := self.errors.get(name):
            raise AgentUnavailable(name, error)
        known = ", ".join(sorted(self._agents)) or "none"
        raise AgentNotFound(f"There is no agent {name!r}; the agents are: {known}")

    async def find(self, name: str) -> Agent:
        """`get` for the event loop, which a load must not hold up."""
        if self._unseen(name):
            await self._load_aside(name)
        return self.get(name)

    def list(self) -> list[Agent]:
        """The newest good version of every agent, by name."""
        return [agent for _, agent in sorted(self._agents.items())]

    def load(self, name: str) -> None:
        """Load the agent `name` if its sources have changed; forget it if its folder is gone.

        Never raises for what an author did: that goes to `errors` and to the log. An import that
        does not end in time is such an error; if it ends after all, the agent is there.
        """
        started = False
        while not started:
            started, loading = self._begin(name)
            wait([loading.done], loading.seconds_left)
            if self._is_late(name, loading):
                return

    async def watch(self) -> None:
        """Follow the folder until cancelled: a saved change is served within a second.

        The setting `watch_polling` is for file systems that do not report changes.
        """
        while True:
            try:
                await self._follow()
            except Exception:
                log.exception("agents are not reloaded for a moment")
            await asyncio.sleep(RETRY)

    async def _follow(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # None leaves it to watchfiles, which knows some such systems.
        polling = get_settings().watch_polling or None
        loaded = False
        async for changes in awatch(
            self.folder, force_polling=polling, yield_on_timeout=True, rust_timeout=1000
        ):
            if not loaded:
                # Only now nothing that is saved can be missed: what was saved before is found here.
                for name in self._names():
                    await self._load_aside(name)
                loaded = True
            paths = [Path(path).relative_to(self.folder) for _, path in changes]
            names = {path.parts[0] for path in paths if path.parts}
            for name in sorted(name for name in names if name[0] not in "._"):
                if not (self.folder / name).is_file():
                    await self._load_aside(name)

    def _names(self) -> Sequence[str]:
        found = {path.name for path in self.folder.glob("[!._]*") if path.is_dir()}
        return sorted(found | self._agents.keys() | self.errors.keys())

    def _unseen(self, name: str) -> bool:
        known = name in self._agents or name in self.errors
        # What a caller sends becomes a part of a path only if it can be a name.
        possible = len(name) <= MAX_NAME_LENGTH and NAME_PATTERN.fullmatch(name)
        return not known and bool(possible) and (self.folder / name).is_dir()

    async def _load_aside(self, name: str) -> None:
        started = False
        while not started:
            started, loading = self._begin(name)
            await asyncio.wait({asyncio.wrap_future(loading.done)}, timeout=loading.seconds_left)
            if self._is_late(name, loading):
                return

    def _begin(self, name: str) -> "tuple[bool, _Loading]":
        """A load of the agent, and whether it began now: one under way may miss the last change."""
        with self._lock:
            loading = self._loading.get(name)
            if loading and not loading.done.done():
                return False, loading
            loading = self._loading[name] = _Loading()
        # The end of the process does not wait for such a thread.
        threading.Thread(target=self._work, args=(name, loading), daemon=True).start()
        return True, loading

    def _is_late(self, name: str, loading: "_Loading") -> bool:
        if loading.done.done():
            return False
        self.errors[name] = (
            f"{name}/graph.py: the import takes longer than {LOAD_SECONDS} seconds; "
            "mend it and restart the agents service"
        )
        log.error("agent does not load", agent=name, error=self.errors[name])
        return True

    def _work(self, name: str, loading: "_Loading") -> None:
        try:
            self._load_changed(name)
        finally:
            loading.done.set_result(None)

    def _load_changed(self, name: str) -> None:
        folder = self.folder / name
        if not folder.is_dir():
            if self._agents.pop(name, None) or self.errors.pop(name, None):
                log.info("agent removed", agent=name)
            self.errors.pop(name, None)
            self._tried.pop(name, None)
            return
        current = self._agents.get(name)
        try:
            version = source_version(folder)
            if self._tried.get(name) == version:
                return
            self._tried[name] = version
            agent = self._load(name, folder, version)
        except BaseException as error:
            # Not only exceptions: libraries written in Rust panic with others. The thread is the
            # load's own, so that nothing else can mean to end it.
            self.errors[name] = explain(error, folder)
            log.error(
                "agent does not load",
                agent=name,
                error=self.errors[name],
                serving=bool(current),
            )
        else:
            self._agents[name] = agent
            self.errors.pop(name, None)
            log.info("agent reloaded" if current else "agent loaded", agent=name)

    def _load(self, name: str, folder: Path, version: str) -> Agent:
        check_name(name)
        if not (folder / "graph.py").is_file():
            raise ValueError(f"{name}/graph.py is missing")
        definition = read_definition(folder)
        register_package(self._package, self.folder)
        graph = load_graph(self._package, folder)
        return Agent(
            name=name,
            folder=folder,
            title=definition.title,
            description=definition.description,
            icon=definition.icon,
            roles=tuple(definition.roles),
            graph=graph,
            limits=definition.limits,
            version=version,
            prices={**get_settings().model.prices, **definition.model.prices},
        )


class _Loading:
    """A load that has begun; `done` when it has ended, however it did."""

    def __init__(self) -> None:
        self.done: Future[None] = Future()
        self._late_at = time.monotonic() + LOAD_SECONDS

    @property
    def seconds_left(self) -> float:
        return max(0, self._late_at - time.monotonic())
