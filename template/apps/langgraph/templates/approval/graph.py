"""Understand, propose, let a person decide, act.

understand -> propose -> approve -> act, or the end if the person rejects the plan
"""

from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from apps.langgraph.src.core.authoring import get_llm, load_prompt, request_approval

from .actions import carry_out
from .state import Facts, Input, Plan, State

# "nostream": what the model says between the steps is not streamed as the answer.
model = get_llm(__file__)
facts_model = model.with_structured_output(Facts).with_config(tags=["nostream"])
plan_model = model.with_structured_output(Plan).with_config(tags=["nostream"])


async def understand(state: State) -> dict[str, Any]:
    """Take from the conversation what the plan needs."""
    prompt = SystemMessage(load_prompt(__file__, "understand"))
    return {"facts": cast(Facts, await facts_model.ainvoke([prompt, *state["messages"]]))}


async def propose(state: State) -> dict[str, Any]:
    """Make a plan."""
    facts = state["facts"]
    prompt = SystemMessage(load_prompt(__file__, "propose"))
    request = HumanMessage(f"Topic: {facts.topic}\nGoal: {facts.goal}")
    return {"plan": cast(Plan, await plan_model.ainvoke([prompt, request]))}


async def approve(state: State) -> Command[Literal["act", "__end__"]]:
    """Stop until a person has approved, edited or rejected the plan."""
    approval = request_approval(
        "carry_out", state["plan"].model_dump(), "Shall this plan be carried out?", schema=Plan
    )
    if not approval.approved:
        text = f"The plan was rejected. {approval.reason}".strip()
        return Command(update={"messages": [AIMessage(text)]}, goto="__end__")
    return Command(update={"plan": Plan.model_validate(approval.arguments)}, goto="act")


async def act(state: State) -> dict[str, Any]:
    """Carry the plan out, in a step of its own: after a crash it is not done again."""
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
