"""One agent asks another."""

from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_async_callback_manager_for_config
from langchain_core.tools import BaseTool, StructuredTool

from apps.langgraph.src.core.agents import agent_folder, get_registry, read_definition
from apps.langgraph.src.core.models.usage import UsageRecorder


def agent_tool(anchor: str | Path, name: str) -> BaseTool:
    """A tool with which the agent of the file `anchor` gives a task to the agent `name`.

    The other agent runs in this process and as part of this run: it shares the run's checkpoints,
    limits and interrupts. It is found when it is called, in its newest version, and is only asked
    for a user who may use it. Raises `ValueError` if there is no such agent.
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
        # Outside the service nobody says who the user is.
        if not agent.is_for(configurable.get("roles", ())):
            return f"The user may not use {name}: it is for other roles."
        for handler in get_async_callback_manager_for_config(config).handlers:
            if isinstance(handler, UsageRecorder):
                handler.add_prices(agent.prices)
        nested: RunnableConfig = {
            **config,
            "configurable": {**configurable, "handed_over": (*asked, name)},
            # What the other agent says is a result for this one, not the answer to the user.
            "tags": [*config.get("tags", []), "nostream"],
        }
        return agent.answer(await agent.graph.ainvoke(agent.input_for(task), nested))

    return StructuredTool.from_function(
        coroutine=ask,
        name=f"ask_{name.replace('-', '_')}",
        description=f"Ask the agent “{definition.title}”. {definition.description}",
    )
