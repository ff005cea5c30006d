"""Propose, let a person decide, act.

propose -> approve -> act, or the end if the person rejects the proposal
"""

from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from apps.langgraph.src.core.authoring import get_llm, load_prompt, request_approval

from .outbox import send
from .state import Input, Reply, State

# "nostream": the draft is shown in the question to the person, not as an answer.
model = get_llm(__file__).with_structured_output(Reply).with_config(tags=["nostream"])


async def propose(state: State) -> dict[str, Any]:
    """Draft the reply."""
    prompt = SystemMessage(load_prompt(__file__, "propose"))
    return {"reply": cast(Reply, await model.ainvoke([prompt, *state["messages"]]))}


async def approve(state: State) -> Command[Literal["act", "__end__"]]:
    """Stop until a person has approved, edited or rejected the draft."""
    reply = state["reply"]
    approval = request_approval(
        "send_reply", reply.model_dump(), f"Send this reply to {reply.recipient}?", schema=Reply
    )
    if not approval.approved:
        text = f"The reply was not sent. {approval.reason}".strip()
        return Command(update={"messages": [AIMessage(text)]}, goto="__end__")
    return Command(update={"reply": Reply.model_validate(approval.arguments)}, goto="act")


async def act(state: State) -> dict[str, Any]:
    """Send the reply, in a step of its own: what has happened is not done again after a crash."""
    reply = state["reply"]
    receipt = await send(reply)
    text = f"{receipt}\n\n**{reply.subject}**\n\n{reply.body}"
    return {"messages": [AIMessage(text)]}


graph = (
    StateGraph(State, input_schema=Input)
    .add_node(propose)
    .add_node(approve)
    .add_node(act)
    .add_edge(START, "propose")
    .add_edge("propose", "approve")
)
