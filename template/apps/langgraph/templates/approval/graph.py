"""Understand, propose, wait for a person's decision, act.

understand -> propose -> approve -> act, or the end if the person rejects the plan
"""

from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from apps.langgraph.src.core.authoring import get_llm, load_prompt, request_approval

from .actions import carry_out
from .state import Facts, Input, Plan, State

# "nostream": the output of these steps is not streamed as the reply.
llm = get_llm(__file__)
facts_llm = llm.with_structured_output(Facts).with_config(tags=["nostream"])
plan_llm = llm.with_structured_output(Plan).with_config(tags=["nostream"])


async def understand(state: State) -> dict[str, Any]:
    """Extract the facts for the plan from the conversation."""
    prompt = SystemMessage(load_prompt(__file__, "understand"))
    return {"facts": cast(Facts, await facts_llm.ainvoke([prompt, *state["messages"]]))}


async def propose(state: State) -> dict[str, Any]:
    """Make a plan."""
    facts = state["facts"]
    prompt = SystemMessage(load_prompt(__file__, "propose"))
    request = HumanMessage(f"Topic: {facts.topic}\nGoal: {facts.goal}")
    return {"plan": cast(Plan, await plan_llm.ainvoke([prompt, request]))}


async def approve(state: State) -> Command[Literal["act", "__end__"]]:
    """Interrupt the run until a person approves, edits or rejects the plan."""
    approval = request_approval(
        "carry_out", state["plan"].model_dump(), "Carry out this plan?", schema=Plan
    )
    if not approval.approved:
        text = f"The plan was rejected. {approval.reason}".strip()
        return Command(update={"messages": [AIMessage(text)]}, goto="__end__")
    return Command(update={"plan": Plan.model_validate(approval.arguments)}, goto="act")


async def act(state: State) -> dict[str, Any]:
    """Carry out the plan, in a separate step so that it is not repeated after a crash."""
    return {"messages": [AIMessage(await carry_out(state["plan"]))]}


graph = (
    StateGraph(State, input_schema=Input)
    .add_node(understand)
    .add_node(propose)
    .add_node(approve)
    .add_node(act)
    .add_edge(START, "understand")
    .add_edge("understand", "propose")
    .add_edge("propose", "approve")
)
