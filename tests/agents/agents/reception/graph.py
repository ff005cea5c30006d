"""Hands its prompt over to the agent `restricted`."""

from apps.langgraph.src.core.authoring import agent_tool
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import MessagesState, StateGraph

tool = agent_tool(__file__, "restricted")


async def reply(state: MessagesState, config: RunnableConfig) -> MessagesState:
    return {"messages": [AIMessage(await tool.ainvoke({"task": "x"}, config))]}


graph = StateGraph(MessagesState).add_node(reply).set_entry_point("reply")
