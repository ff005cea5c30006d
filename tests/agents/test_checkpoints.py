"""Checkpoints for which the graph does not wait: in order, and separate for each run."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.postgresql import new_database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_follows_a_checkpoint_that_failed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer

    url = f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db"
    if kind == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_url"))

    async def write() -> list[list[int]]:
        async with open_checkpointer(url) as saver:
            await setup_checkpointer(saver)
            # All are in one batch, because the graph does not wait.
            good, bad = [of_run(saver) for _ in range(2)]
            for number in range(3):
                await put(good, "good", number, {})
                await put(bad, "bad", number, {} if number != 1 else {"a": lambda: None})
            await good.written()
            with pytest.raises(TypeError, match="not msgpack serializable"):
                await bad.written()
            return [
                [found.metadata["step"] async for found in saver.alist(place(thread))]
                for thread in ("good", "bad")
            ]

    assert asyncio.run(write()) == [[2, 1, 0], [0]]


def test_a_run_sees_what_it_has_not_waited_for(tmp_path: Path) -> None:
    from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer

    async def write_and_read() -> Any:
        async with open_checkpointer(f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db") as saver:
            await setup_checkpointer(saver)
            await put(of_run(saver), "thread", 7, {})
            return await saver.aget_tuple(place("thread"))

    assert asyncio.run(write_and_read()).metadata["step"] == 7


def test_a_history_is_read_as_far_as_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.langgraph.src.core.storage import checkpoints

    monkeypatch.setattr(checkpoints, "PAGE", 3)

    async def read() -> tuple[list[int], int]:
        url = f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db"
        async with checkpoints.open_checkpointer(url) as saver:
            await checkpoints.setup_checkpointer(saver)
            for number in range(10):
                await put(saver, "thread", number, {})
            steps = [found.metadata["step"] async for found in saver.alist(place("thread"))]
            decoded = []
            loads = saver.serde.loads_typed
            monkeypatch.setattr(saver.serde, "loads_typed", lambda v: decoded.append(v) or loads(v))
            await anext(saver.alist(place("thread")))
            return steps, len(decoded)

    assert asyncio.run(read()) == (list(reversed(range(10))), 3)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_text_with_nul_is_stored_without(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer

    url = f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db"
    if kind == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_url"))

    async def write_and_read() -> Any:
        async with open_checkpointer(url) as saver:
            await setup_checkpointer(saver)
            await put(saver, "thread", 1, {"said": "a\0b"})
            return await saver.aget_tuple(place("thread"))

    assert asyncio.run(write_and_read()).checkpoint["channel_values"] == {"said": "ab"}


def of_run(saver: Any) -> Any:
    from apps.langgraph.src.core.storage.checkpoints import for_run

    carrier = SimpleNamespace(checkpointer=saver)
    return for_run(carrier, new_thread=False, wait=False).checkpointer


def place(thread: str) -> Any:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


async def put(saver: Any, thread: str, number: int, values: dict[str, Any]) -> None:
    from langgraph.checkpoint.base import empty_checkpoint

    checkpoint = {**empty_checkpoint(), "channel_values": values}
    versions = dict.fromkeys(values, "1")
    await saver.aput(place(thread), checkpoint, {"step": number}, versions)
