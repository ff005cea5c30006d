"""The agents of a folder, kept up to date while their authors work."""

import asyncio
import hashlib
import threading
from functools import lru_cache
from pathlib import Path

import structlog
from watchfiles import awatch

from apps.langgraph.src.core.agent_names import NAME_PATTERN, check_name
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
        # One load at a time: two would take each other's modules.
        self._lock = threading.RLock()
        if self.folder == AGENTS_FOLDER:
            self._package = AGENTS_PACKAGE
        else:
            self._package = f"agents_{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"

    def load_all(self) -> None:
        """Load what is new or changed, and forget what is gone."""
        found = {path.name for path in self.folder.glob("[!._]*") if path.is_dir()}
        for name in sorted(found | self._agents.keys() | self.errors.keys()):
            self.load(name)

    def get(self, name: str) -> Agent:
        """The newest good version of an agent.

        Raises `AgentNotFound`, or `AgentUnavailable` if no version has ever loaded.
        """
        unseen = name not in self._agents and name not in self.errors
        if unseen and NAME_PATTERN.fullmatch(name) and (self.folder / name).is_dir():
            self.load(name)
        if agent := self._agents.get(name):
            return agent
        if error := self.errors.get(name):
            raise AgentUnavailable(name, error)
        known = ", ".join(sorted(self._agents)) or "none"
        raise AgentNotFound(f"There is no agent {name!r}; the agents are: {known}")

    def list(self) -> list[Agent]:
        """The newest good version of every agent, by name."""
        return [agent for _, agent in sorted(self._agents.items())]

    def load(self, name: str) -> None:
        """Load the agent `name` if its sources have changed; forget it if its folder is gone.

        Never raises for what an author did: that goes to `errors` and to the log.
        """
        with self._lock:
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
            except (Exception, SystemExit) as error:
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

    async def watch(self) -> None:
        """Follow the folder until cancelled: a saved change is served within a second.

        The setting `watch_polling` is for file systems that do not report changes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # None leaves it to watchfiles, which knows some such systems.
        polling = get_settings().watch_polling or None
        loaded = False
        async for changes in awatch(
            self.folder, force_polling=polling, yield_on_timeout=True, rust_timeout=1000
        ):
            if not loaded:
                # Only now nothing that is saved can be missed: what was saved before is found here.
                await asyncio.to_thread(self.load_all)
                loaded = True
            paths = [Path(path).relative_to(self.folder) for _, path in changes]
            names = {path.parts[0] for path in paths if path.parts}
            for name in sorted(name for name in names if name[0] not in "._"):
                if not (self.folder / name).is_file():
                    await asyncio.to_thread(self.load, name)

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
