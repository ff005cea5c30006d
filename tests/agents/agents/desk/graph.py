"""Asks a person before it calls its tool, with LangChain's middleware."""

from apps.langgraph.src.core.authoring import get_llm
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool


@tool
def cancel_order(order_id: str) -> str:
    """Cancel an order."""
    return f"Order {order_id} is cancelled."


kinds = {"allowed_decisions": ["approve", "edit", "reject"]}
graph = create_agent(
    get_llm(__file__),
    tools=[cancel_order],
    middleware=[HumanInTheLoopMiddleware(interrupt_on={"cancel_order": kinds})],
)
