"""One agent gives a task to another, within one run."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.types import Command

from apps.langgraph.src.core.agents.registry import AgentRegistry, get_registry
from apps.langgraph.src.core.authoring import agent_tool
from apps.langgraph.src.core.llm.usage import UsageRecorder

FRONT = """
from langchain.agents import create_agent
from apps.langgraph.src.core.authoring import agent_tool, get_llm

graph = create_agent(get_llm(__file__), tools=[agent_tool(__file__, "billing-desk")])
"""
DESK = """
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

def reply(state: MessagesState):
    said = interrupt("Really?")
    return {"messages": [("ai", f"The bill is {said}.")]}

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
"""
PRICED = """
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

class Own(GenericFakeChatModel):
    model_name: str = "own"

async def reply(state: MessagesState):
    used = {"input_tokens": 1_000_000, "output_tokens": 1_000_000, "total_tokens": 2_000_000}
    model = Own(messages=iter([AIMessage("paid", usage_metadata=used)]))
    return {"messages": [await model.ainvoke(state["messages"])]}

graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply")
"""

TONED = """
from dataclasses import dataclass
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime

@dataclass
class Context:
    tone: str = "friendly"

async def reply(state: MessagesState, runtime: Runtime[Context]):
    return {"messages": [("ai", f"A {runtime.context.tone} bill.")]}

graph = StateGraph(MessagesState, Context).add_node(reply).add_edge(START, "reply")
"""


@pytest.fixture
def registry(tmp_path: Path) -> AgentRegistry:
    for name, graph in (("front", FRONT), ("billing-desk", DESK)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "graph.py").write_text(graph)
    (tmp_path / "billing-desk/agent.toml").write_text('description = "Knows every bill."\n')
    return get_registry(tmp_path)


async def test_interrupt_and_reply_of_the_other_agent_reach_the_user(
    registry: AgentRegistry,
) -> None:
    agent = registry.get("front")
    graph = agent.graph.copy(update={"checkpointer": InMemorySaver()})
    config: Any = {"configurable": {"thread_id": "1", "agent": "front"}}
    stopped = await graph.ainvoke(agent.input_for("Ask billing about my bill"), config)
    assert stopped["__interrupt__"][0].value == "Really?"
    result = await graph.ainvoke(Command(resume="paid"), config)
    assert "The bill is paid." in agent.reply(result)


async def test_agents_do_not_ask_in_a_circle(registry: AgentRegistry) -> None:
    tool = agent_tool(registry.folder / "front/graph.py", "billing-desk")
    config: Any = {"configurable": {"agent": "billing-desk"}}
    assert "cannot be asked again" in await tool.ainvoke({"task": "pay"}, config)


@pytest.mark.parametrize(
    ("configurable", "asked"),
    [
        ({"roles": ["finance", "sales"]}, True),
        ({"roles": None}, True),
        ({"roles": ["sales"]}, False),
        ({"roles": []}, False),
        ({}, False),
    ],
)
async def test_only_a_user_who_may_use_the_other_agent_reaches_it(
    registry: AgentRegistry, configurable: dict[str, Any], asked: bool
) -> None:
    (registry.folder / "ledger").mkdir()
    (registry.folder / "ledger/graph.py").write_text(DESK.replace('interrupt("Really?")', '"9"'))
    (registry.folder / "ledger/agent.toml").write_text('roles = ["finance"]\n')
    tool = agent_tool(registry.folder / "front/graph.py", "ledger")
    reply = await tool.ainvoke({"task": "pay"}, {"configurable": configurable})
    assert ("The bill is 9." in reply, "may not use ledger" in reply) == (asked, not asked)


async def test_the_prices_of_the_other_agent_count(registry: AgentRegistry) -> None:
    (registry.folder / "priced").mkdir()
    (registry.folder / "priced/graph.py").write_text(PRICED)
    prices = "[model.prices.own]\ninput = 2\noutput = 10\n"
    (registry.folder / "priced/agent.toml").write_text(prices)
    tool = agent_tool(registry.folder / "front/graph.py", "priced")
    recorder = UsageRecorder({})
    await tool.ainvoke({"task": "pay"}, {"callbacks": [recorder]})
    assert recorder.by_model["own"].cost == pytest.approx(12)


async def test_the_other_agent_has_a_context_of_its_own(registry: AgentRegistry) -> None:
    (registry.folder / "toned").mkdir()
    (registry.folder / "toned/graph.py").write_text(TONED)
    tool = agent_tool(registry.folder / "front/graph.py", "toned")
    assert await tool.ainvoke({"task": "pay"}) == "A friendly bill."

    async def ask(state: MessagesState) -> MessagesState:
        return {"messages": [AIMessage(await tool.ainvoke({"task": "pay"}))]}

    asking: Any = StateGraph(MessagesState, dict).add_node(ask).set_entry_point("ask")
    result = await asking.compile().ainvoke({"messages": []}, context={"tone": 7})
    assert result["messages"][-1].text == "A friendly bill."


def test_unknown_agent_is_refused_at_once(registry: AgentRegistry) -> None:
    with pytest.raises(ValueError, match="no agent 'sales'"):
        agent_tool(registry.folder / "front/graph.py", "sales")
