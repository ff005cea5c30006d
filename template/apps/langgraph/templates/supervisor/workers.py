"""The agents that the supervisor can give tasks to, as tools that it calls.

A worker sees its task only, not the conversation. An agent with a folder of its own can be a worker
too: add `agent_tool(__file__, "its-name")` from the same module as `get_llm` to WORKERS.
"""

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool

from apps.langgraph.src.core.authoring import get_llm, load_prompt

# "nostream": a worker's words are a result for the supervisor, not the answer to the user.
INNER = RunnableConfig(tags=["nostream"])

researcher = create_agent(
    get_llm(__file__), system_prompt=load_prompt(__file__, "researcher"), name="researcher"
).with_config(INNER)
writer = create_agent(
    get_llm(__file__), system_prompt=load_prompt(__file__, "writer"), name="writer"
).with_config(INNER)


@tool
async def research(task: str) -> str:
    """Research a question and return the facts that matter for it."""
    result = await researcher.ainvoke({"messages": [HumanMessage(task)]})
    return str(result["messages"][-1].text)


@tool
async def write(task: str) -> str:
    """Write a text; the task must hold every fact that the text needs."""
    result = await writer.ainvoke({"messages": [HumanMessage(task)]})
    return str(result["messages"][-1].text)


WORKERS = [research, write]
