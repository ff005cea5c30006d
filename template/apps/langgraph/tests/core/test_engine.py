"""The run engine in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from apps.langgraph.src.core.agents import AgentRegistry
from apps.langgraph.src.core.migrate import migrate
from apps.langgraph.src.core.runs.engine import Engine
from apps.langgraph.src.core.runs.upkeep import Upkeep
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.storage.database import open_storage
from apps.langgraph.src.core.storage.records import RunRequest
from shared.settings import Settings, get_settings

ENDLESS = """
import asyncio
from langgraph.graph import MessagesState, StateGraph

async def answer(state):
    await asyncio.Future()

graph = StateGraph(MessagesState).add_node(answer).set_entry_point("answer")
"""


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """An engine with one agent, whose runs do not end."""
    monkeypatch.setattr(Settings, "data_dir", tmp_path / "data")
    (tmp_path / "agents/endless").mkdir(parents=True)
    (tmp_path / "agents/endless/graph.py").write_text(ENDLESS)
    settings = get_settings()
    await migrate(settings)
    async with open_storage(settings) as storage:
        registry = AgentRegistry(tmp_path / "agents")
        await asyncio.to_thread(registry.load_all)
        yield Engine(storage, registry, settings.agents.model_copy(update={"lease_seconds": 1}))


async def test_a_run_can_be_ended_as_soon_as_it_is_there(engine: Engine) -> None:
    run = await engine.start(RunRequest("endless", input={"messages": "x"}), "anna")
    engine.executions[run.run_id].cancel("cancel")
    async with asyncio.timeout(30):
        assert (await engine.wait(run)).run.status == "interrupted"


async def test_a_run_that_was_stored_but_never_begun_is_taken_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # As when the connection is lost in the moment of the commit.
        patch.setattr(engine, "launch", None)
        with pytest.raises(TypeError):
            await engine.start(RunRequest("endless", input={"messages": "x"}), "anna")
    webhooks = WebhookSender(engine.storage.webhooks, engine.settings)
    upkeep = asyncio.create_task(Upkeep(engine, webhooks).run())
    async with asyncio.timeout(30):
        while not engine.executions:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    upkeep.cancel()
    await asyncio.gather(upkeep, return_exceptions=True)
    await webhooks.aclose()
    await engine.drain(0)
