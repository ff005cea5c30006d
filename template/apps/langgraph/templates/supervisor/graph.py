"""A supervisor that gives tasks to workers until it can reply."""

from langchain.agents import create_agent

from apps.langgraph.src.core.authoring import get_llm, load_prompt

from .state import State
from .workers import WORKERS

graph = create_agent(
    get_llm(__file__),
    tools=WORKERS,
    system_prompt=load_prompt(__file__, "supervisor"),
    state_schema=State,
)
