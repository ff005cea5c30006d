"""Imports an agent's `graph.py` by path, after every change."""

import copy
import hashlib
import importlib
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph

Graph = CompiledStateGraph[Any, Any, Any, Any]


def load_graph(package: str, folder: Path) -> Graph:
    """Import `folder/graph.py` again and return its compiled `graph`.

    The modules are named `PACKAGE.FOLDER.…` at every load, because checkpoints store the names of
    the classes in them. If the import fails, the modules of the last load are restored. Raises any
    error of the import, and `TypeError` if `graph` is missing or not a graph.
    """
    with _fresh_modules(f"{package}.{folder.name}"):
        module = importlib.import_module(f"{package}.{folder.name}.graph")
        return _compiled(module, folder.name)


def register_package(package: str, folder: Path) -> None:
    """Make the folders in `folder` importable as `PACKAGE.NAME`, whatever their names."""
    if not any(isinstance(finder, _AgentFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AgentFinder())
    _AgentFinder.packages.add(package)
    if package not in sys.modules:
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[package] = importlib.util.module_from_spec(spec)


def source_version(folder: Path) -> str:
    """A hash of the folder's sources: `agent.toml`, prompts, and Python files except tests.

    Other files are data, which the agent may write without being reloaded.
    """
    digest = hashlib.sha256()
    files = [*folder.glob("agent.toml"), *folder.rglob("*.py"), *folder.glob("prompts/**/*")]
    for file in sorted(files):
        parts = file.relative_to(folder).parts
        ignored = any(part in ("tests", "__pycache__") or part[0] == "." for part in parts)
        if not ignored and file.is_file():
            digest.update("/".join(parts).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def explain(error: BaseException, folder: Path) -> str:
    """One line for the agent's author: file and line in `folder`, and the error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename, folder)}, line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    # LangGraph appends a link, but the machine may be behind a firewall.
    text = str(error).partition("\nFor troubleshooting")[0]
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name and _is_sibling(error.name, folder):
        text += f"; import modules of the same agent with a dot: from .{error.name} import …"
    if inside:
        return f"{_shown(inside[-1].filename, folder)}, line {inside[-1].lineno}: {text}"
    if notes := getattr(error, "__notes__", ()):
        # LangGraph notes the node in which an error occurred.
        return f"{text} ({'; '.join(notes)})"
    return str(error) if isinstance(error, ValueError | TypeError) else text


class _AgentFinder(MetaPathFinder):
    """Finds the modules of agents and compiles them from source each time.

    Python's bytecode cache misses the second of two saves within one second.
    """

    packages: set[str] = set()  # noqa: RUF012  # one finder serves the process

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(fullname.startswith(f"{package}.") for package in self.packages):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _UncachedLoader(fullname, spec.origin)
            spec.cached = None
        return spec


class _UncachedLoader(SourceFileLoader):
    def path_stats(self, path: Any) -> Mapping[str, Any]:
        raise OSError  # importlib then does not look for cached bytecode


@contextmanager
def _fresh_modules(name: str) -> Iterator[None]:
    previous = _take_modules(name)
    importlib.invalidate_caches()
    try:
        yield
    except BaseException:
        _take_modules(name)
        sys.modules.update(previous)
        raise


def _take_modules(name: str) -> dict[str, ModuleType]:
    names = [key for key in list(sys.modules) if key == name or key.startswith(f"{name}.")]
    return {key: sys.modules.pop(key) for key in names}


def _compiled(module: ModuleType, name: str) -> Graph:
    graph = getattr(module, "graph", None)
    if graph is None:
        raise TypeError("graph.py has no `graph`: assign the graph to that name")
    if callable(graph) and not isinstance(graph, StateGraph | CompiledStateGraph):
        graph = graph()
    if isinstance(graph, StateGraph):
        return graph.compile(name=name)
    if isinstance(graph, CompiledStateGraph):
        # `graph.copy()` would drop the types that strict deserialisation allows.
        graph = copy.copy(graph)
        graph.checkpointer, graph.name = None, name
        return graph
    raise TypeError(
        f"`graph` in graph.py is a {type(graph).__name__}: it must be a StateGraph, "
        "a compiled graph, or a function without parameters that returns one of them"
    )


def _is_sibling(module: str, folder: Path) -> bool:
    return (folder / f"{module}.py").is_file() or (folder / module).is_dir()


def _shown(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder.parent) if path.is_relative_to(folder) else path)
