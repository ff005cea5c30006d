"""A checkpoint is data: values in the database cannot make the service execute code."""

from pathlib import Path

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_SINGLE_ARG, JsonPlusSerializer

from apps.langgraph.src.core.storage.checkpoints import open_checkpointer


def naming_a_function(path: Path) -> tuple[str, bytes]:
    """A stored value that asks for `os.mkdir(path)`, in the form of LangGraph's own values."""
    call = ormsgpack.packb(("os", "mkdir", str(path)))
    return "msgpack", ormsgpack.packb(ormsgpack.Ext(EXT_CONSTRUCTOR_SINGLE_ARG, call))


async def test_a_stored_value_cannot_name_a_function_to_call(tmp_path: Path) -> None:
    JsonPlusSerializer(allowed_msgpack_modules=[("os", "mkdir")]).loads_typed(
        naming_a_function(tmp_path / "called")
    )
    assert (tmp_path / "called").is_dir(), "the value is one that a trusting reader would call"
    async with open_checkpointer(f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db") as saver:
        saver.serde.loads_typed(naming_a_function(tmp_path / "refused"))
    assert not (tmp_path / "refused").exists()
