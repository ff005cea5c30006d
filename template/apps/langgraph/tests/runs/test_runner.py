"""The runner in the test's event loop."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from apps.langgraph.src.core.agents.registry import AgentRegistry
from apps.langgraph.src.core.migrate import migrate
from apps.langgraph.src.core.runs.following import result_of
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.upkeep import Upkeep
from apps.langgraph.src.core.runs.webhooks import WebhookSender
from apps.langgraph.src.core.storage.records import RunRequest
from apps.langgraph.src.core.storage.storage import open_storage
from shared.settings import get_settings

ENDLESS = """
import asyncio
from langgraph.graph import MessagesState, StateGraph

async def reply(state):
    await asyncio.Future()

graph = StateGraph(MessagesState).add_node(reply).set_entry_point("reply")
"""


@pytest.fixture
async def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runner]:
    """A runner with one agent, whose runs do not end."""
    (tmp_path / "agents/endless").mkdir(parents=True)
    (tmp_path / "agents/endless/graph.py").write_text(ENDLESS)
    settings = get_settings().model_copy(update={"data_dir": tmp_path / "data"})
    await migrate(settings)
    async with open_storage(settings) as storage:
        registry = AgentRegistry(tmp_path / "agents")
        await asyncio.to_thread(registry.load_all)
        yield Runner(storage, registry, settings.agents.model_copy(update={"lease_seconds": 1}))


async def test_a_run_can_be_ended_as_soon_as_it_is_there(runner: Runner) -> None:
    run = await runner.start(RunRequest("endless", input={"messages": "x"}), "anna")
    runner.executions[run.run_id].cancel("cancel")
    async with asyncio.timeout(30):
        assert (await result_of(runner, run)).run.status == "interrupted"


async def test_a_run_that_was_stored_but_never_begun_is_taken_over(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # As when the connection is lost in the moment of the commit.
        patch.setattr(runner, "launch", None)
        with pytest.raises(TypeError):
            await runner.start(RunRequest("endless", input={"messages": "x"}), "anna")
    webhooks = WebhookSender(runner.storage.webhooks, runner.settings)
    upkeep = asyncio.create_task(Upkeep(runner, webhooks).run())
    async with asyncio.timeout(30):
        while not runner.executions:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    upkeep.cancel()
    await asyncio.gather(upkeep, return_exceptions=True)
    await webhooks.aclose()
    await runner.drain(0)
