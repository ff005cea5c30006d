"""Prompts in files, beside the graph that uses them."""

from pathlib import Path

from apps.langgraph.src.core.agents import agent_folder


def load_prompt(anchor: str | Path, name: str) -> str:
    """The text of `prompts/NAME.md` of the agent to which the file `anchor` belongs.

    `load_prompt(__file__, "writer").format(topic=topic)` fills in `{topic}`. Raises `ValueError`
    that names the prompts there are.
    """
    folder = agent_folder(anchor) / "prompts"
    file = folder / f"{name}.md"
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.md"))) or "none"
        raise ValueError(
            f"{file.relative_to(folder.parents[1])} is missing; there are the prompts: {known}"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{file.relative_to(folder.parents[1])} is not UTF-8 text") from None
