"""LangGraph's conformance suite, on the checkpointers of this service."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgresql import new_database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_checkpointer(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer
    from langgraph.checkpoint.conformance import checkpointer_test, validate

    url = f"sqlite+aiosqlite:///{tmp_path}/checkpoints.db"
    if kind == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_url"))

    @checkpointer_test(name=kind)
    async def checkpointer() -> AsyncGenerator[Any, None]:
        async with open_checkpointer(url) as saver:
            await setup_checkpointer(saver)
            yield saver

    report = asyncio.run(validate(checkpointer))
    assert report.passed_all_base() and report.passed_all(), report.to_dict()
