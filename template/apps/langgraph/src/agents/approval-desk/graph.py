"""Draft an e-mail, wait for a person's decision, send it.

draft -> approve -> act, or the end if the person rejects the draft
"""

from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from apps.langgraph.src.core.authoring import get_llm, load_prompt, request_approval

from .outbox import send
from .state import Email, Input, State

# "nostream": the draft is shown in the interrupt, not as the reply.
llm = get_llm(__file__).with_structured_output(Email).with_config(tags=["nostream"])


async def draft(state: State) -> dict[str, Any]:
    """Draft the e-mail."""
    prompt = SystemMessage(load_prompt(__file__, "draft"))
    return {"email": cast(Email, await llm.ainvoke([prompt, *state["messages"]]))}


async def approve(state: State) -> Command[Literal["act", "__end__"]]:
    """Interrupt the run until a person approves, edits or rejects the draft."""
    email = state["email"]
    approval = request_approval(
        "send_email", email.model_dump(), f"Send this e-mail to {email.recipient}?", schema=Email
    )
    if not approval.approved:
        text = f"The e-mail was not sent. {approval.reason}".strip()
        return Command(update={"messages": [AIMessage(text)]}, goto="__end__")
    return Command(update={"email": Email.model_validate(approval.arguments)}, goto="act")


async def act(state: State) -> dict[str, Any]:
    """Send the e-mail, in a separate step so that it is not repeated after a crash."""
    email = state["email"]
    receipt = await send(email)
    text = f"{receipt}\n\n**{email.subject}**\n\n{email.body}"
    return {"messages": [AIMessage(text)]}


graph = (
    StateGraph(State, input_schema=Input)
    .add_node(draft)
    .add_node(approve)
    .add_node(act)
    .add_edge(START, "draft")
    .add_edge("draft", "approve")
)
