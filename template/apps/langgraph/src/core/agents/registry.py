"""The agents of a folder, reloaded when their files change."""

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

from apps.langgraph.src.core.agents.definition import Agent, read_definition
from apps.langgraph.src.core.agents.loading import (
    explain,
    load_graph,
    register_package,
    source_version,
)
from apps.langgraph.src.core.agents.names import MAX_NAME_LENGTH, NAME_PATTERN, check_name
from shared.settings import get_settings

log = structlog.get_logger(__name__)

AGENTS_FOLDER = Path(__file__).resolve().parents[2] / "agents"
# The agents' package, the same in the service, in pytest and in LangGraph's tools. Never changed:
# checkpoints store the names of classes in it.
AGENTS_PACKAGE = "apps.langgraph.src.agents"

# Seconds that the import of an agent may take: one that hangs must not block the others.
LOAD_SECONDS = 30
# Seconds until the folder is watched again after an error.
RETRY = 1


class AgentNotFoundError(LookupError):
    """There is no agent of that name."""


class AgentUnavailableError(RuntimeError):
    """No version of the agent has loaded; `error` is the reason, for its author."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__(f"The agent {name!r} does not load: {error}")
        self.error = error


@lru_cache
def get_registry(folder: Path = AGENTS_FOLDER) -> "AgentRegistry":
    """The registry of `folder`, one per process."""
    return AgentRegistry(folder)


class AgentRegistry:
    """Agents by name, from the folders `folder/*/graph.py`.

    A new version replaces the last one only once it has loaded. While it is broken, the last good
    version is served and `errors` has the reason. A run keeps the graph with which it started.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.errors: dict[str, str] = {}
        self._agents: dict[str, Agent] = {}
        self._tried: dict[str, str] = {}  # the version of the last load, failed or not
        # The latest load of each agent: two at a time would replace each other's modules.
        self._loading: dict[str, _Loading] = {}
        self._lock = threading.Lock()
        if self.folder == AGENTS_FOLDER:
            self._package = AGENTS_PACKAGE
        else:
            self._package = f"agents_{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"

    def load_all(self) -> None:
        """Load new and changed agents, and remove deleted ones."""
        for name in self._names():
            self.load(name)

    def get(self, name: str) -> Agent:
        """The newest good version of an agent, loaded now if its folder is new.

        Raises `AgentNotFoundError`, or `AgentUnavailableError` if no version has ever loaded.
        """
        if self._unseen(name):
            self.load(name)
        if agent := self._agents.get(name):
            return agent
        if error := self.errors.get(name):
            raise AgentUnavailableError(name, error)
        # Others are not named: the reader may not be allowed to use them.
        raise AgentNotFoundError(f"Agent {name!r} not found.")

    async def find(self, name: str) -> Agent:
        """`get` without blocking the event loop during a load."""
        if self._unseen(name):
            await self._load_aside(name)
        return self.get(name)

    def list(self) -> list[Agent]:
        """The newest good version of every agent, by name."""
        return [agent for _, agent in sorted(self._agents.items())]

    def load(self, name: str) -> None:
        """Load the agent `name` if its sources have changed; remove it if its folder is gone.

        Errors of the agent are not raised, but added to `errors` and logged. A load that exceeds
        `LOAD_SECONDS` is such an error until it ends.
        """
        started = False
        while not started:
            started, loading = self._begin(name)
            wait([loading.done], loading.seconds_left)
            if self._is_late(name, loading):
                return

    async def watch(self) -> None:
        """Watch the folder until cancelled: a saved change is served within a second.

        The setting `watch_polling` is for file systems that do not report changes.
        """
        while True:
            try:
                await self._follow()
            except Exception:
                log.exception("watching the agents failed", retry_seconds=RETRY)
            await asyncio.sleep(RETRY)

    async def _follow(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # None: watchfiles decides; it detects some of these file systems.
        polling = get_settings().watch_polling or None
        loaded = False
        async for changes in awatch(
            self.folder, force_polling=polling, yield_on_timeout=True, rust_timeout=1000
        ):
            if not loaded:
                # Loaded only now, so that no change between loading and watching is missed.
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
        # A name from a request becomes part of a path only if it is a valid name.
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
        """A load of the agent, and whether it is new: an older one may miss the last change."""
        with self._lock:
            loading = self._loading.get(name)
            if loading and not loading.done.done():
                return False, loading
            loading = self._loading[name] = _Loading()
        # A daemon thread, so that a hanging import does not keep the process alive.
        threading.Thread(target=self._work, args=(name, loading), daemon=True).start()
        return True, loading

    def _is_late(self, name: str, loading: "_Loading") -> bool:
        if loading.done.done():
            return False
        self.errors[name] = (
            f"{name}/graph.py: the import takes longer than {LOAD_SECONDS} seconds; "
            "correct it and restart the agents service"
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
            # Panics of Rust libraries are BaseExceptions; no other code raises in this thread.
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
        prices = {**get_settings().model.prices, **definition.model.prices}
        return Agent(name, folder, definition, graph, prices, version)


class _Loading:
    """A load in progress; `done` when it has ended, failed or not."""

    def __init__(self) -> None:
        self.done: Future[None] = Future()
        self._late_at = time.monotonic() + LOAD_SECONDS

    @property
    def seconds_left(self) -> float:
        return max(0, self._late_at - time.monotonic())
