"""The services to reload when a file changes."""

from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

SETTINGS_FILES = (".env", "platform.toml")
SUFFIXES = (".py", ".toml")
# The agents service reloads an agent itself, without a new process.
AGENTS = ("apps", "langgraph", "src", "agents")


def affected(path: Path) -> set[str]:
    """The Python services to reload for a change of `path`, which is relative to the project."""
    parts = path.parts
    if path.suffix not in SUFFIXES or "tests" in parts or parts[:4] == AGENTS:
        return set()
    if parts[0] == "shared":
        return {"api", "langgraph"}
    if parts[0] == "apps" and parts[2:3] == ("src",):
        return {parts[1]} & {"api", "langgraph"}
    return set()


async def code_changes(root: Path, *, polling: bool) -> AsyncIterator[set[str]]:
    """The services to reload, for every change of the project's Python code."""
    folders = [root / "apps" / "api", root / "apps" / "langgraph", root / "shared"]
    async for changes in awatch(*folders, force_polling=polling or None):
        services = [affected(Path(name).relative_to(root)) for _, name in changes]
        if names := set[str]().union(*services):
            yield names


async def settings_changes(folder: Path, *, polling: bool) -> AsyncIterator[None]:
    """One item for every change of `.env` or `platform.toml` in `folder`.

    Watches the folder, because editors replace files.
    """
    async for _ in awatch(
        folder,
        watch_filter=lambda _, path: Path(path).name in SETTINGS_FILES,
        recursive=False,
        force_polling=polling or None,
    ):
        yield
