"""One agent gives a task to another."""

from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_async_callback_manager_for_config
from langchain_core.tools import BaseTool, StructuredTool

from apps.langgraph.src.core.agents.definition import agent_folder, read_definition
from apps.langgraph.src.core.agents.registry import get_registry
from apps.langgraph.src.core.llm.usage import UsageRecorder


def agent_tool(anchor: str | Path, name: str) -> BaseTool:
    """A tool for the agent of the file `anchor` that gives a task to the agent `name`.

    The other agent runs as part of this run: it shares the run's checkpoints, limits and
    interrupts. Its newest version is loaded at each call. Users who may not use it get a refusal as
    the tool's result. Raises `ValueError` if there is no such agent.
    """
    agents = agent_folder(anchor).parent
    if not (agents / name / "graph.py").is_file():
        raise ValueError(f"There is no agent {name!r} to hand over to in {agents}")
    definition = read_definition(agents / name)

    async def ask(task: str, config: RunnableConfig) -> str:
        configurable = config.get("configurable", {})
        asked: tuple[str, ...] = configurable.get("handed_over", ())
        if name in asked or name == configurable.get("agent"):
            return f"{name} is already part of this run and cannot be asked again."
        agent = await get_registry(agents).find(name)
        # Outside the service there is no user, and so no role.
        if not agent.allows(configurable.get("roles", ())):
            return f"The user may not use {name}: it is for other roles."
        for handler in get_async_callback_manager_for_config(config).handlers:
            if isinstance(handler, UsageRecorder):
                handler.add_prices(agent.prices)
        nested: RunnableConfig = {
            **config,
            "configurable": {**configurable, "handed_over": (*asked, name)},
            # The other agent's text is a tool result, not the reply to the user.
            "tags": [*config.get("tags", []), "nostream"],
        }
        # Without one, this agent's would be that of the other agent.
        context = agent.context_for(None)
        state = await agent.graph.ainvoke(agent.input_for(task), nested, context=context)
        return agent.reply(state)

    return StructuredTool.from_function(
        coroutine=ask,
        name=f"ask_{name.replace('-', '_')}",
        description=f"Ask the agent “{definition.title}”. {definition.description}",
    )
