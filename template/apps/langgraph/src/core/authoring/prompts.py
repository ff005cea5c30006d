"""Prompts in files of the agent's folder."""

from pathlib import Path

from apps.langgraph.src.core.agents.definition import agent_folder


def load_prompt(anchor: str | Path, name: str) -> str:
    """The text of `prompts/NAME.md` of the agent that contains the file `anchor`.

    `load_prompt(__file__, "writer").format(topic=topic)` fills in `{topic}`. Raises `ValueError`
    with the names of the existing prompts.
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
