"""A language model that calls tools until it can reply."""

from langchain.agents import create_agent

from apps.langgraph.src.core.authoring import get_llm, load_prompt

from .state import State
from .tools import TOOLS

graph = create_agent(
    get_llm(__file__),
    tools=TOOLS,
    system_prompt=load_prompt(__file__, "system"),
    state_schema=State,
)
