"""The supervisor's workers, as tools.

A worker gets only its task, not the conversation. Another agent of the platform can be a worker,
too: add `agent_tool(__file__, "its-name")` to WORKERS; import it like `get_llm`.
"""

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool

from apps.langgraph.src.core.authoring import get_llm, load_prompt

# "nostream": a worker's text is a tool result, not part of the reply.
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
