"""Prints the extras of apps/langgraph/pyproject.toml that this project's models need.

As options of uv, such as `--extra openai`; providers are named in platform.toml and agent.toml.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path


def extras(root: Path) -> set[str]:
    """The names of the extras."""
    agents = sorted(root.glob("apps/langgraph/src/agents/*/agent.toml"))
    found = {name for path in (root / "platform.toml", *agents) for name in providers(path)}
    return {name.removesuffix("-compatible") for name in found} - {"offline"}


def providers(path: Path) -> Iterator[str]:
    """The providers that a file names for its model and its fall-backs."""
    model = tomllib.loads(path.read_text(encoding="utf-8")).get("model", {})
    for choice in (model, *model.get("fallbacks", [])):
        if name := choice.get("provider"):
            yield name


if __name__ == "__main__":
    print(*(f"--extra {name}" for name in sorted(extras(Path(sys.argv[1])))))
