"""Validates inputs and decisions before anything is stored."""

from typing import Any

from langchain_core.messages import convert_to_messages

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.authoring.approval import check_decision
from apps.langgraph.src.core.protocols.errors import CheckpointNotFoundError, RequestError
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.execution import sent_context
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.storage.records import RunRequest


def input_for(agent: Agent, prompt: str) -> dict[str, Any]:
    """The agent's input for a prompt. Raises `RequestError` if it takes none."""
    try:
        return agent.input_for(prompt)
    except ValueError as error:
        raise RequestError(f"{error}. Send these as its `input`.") from None


def check_input(agent: Agent, value: Any) -> None:
    """Raise `RequestError` with the invalid field unless `value` is an input of the agent's graph.

    None continues a thread. Messages may have any form that LangChain converts.
    """
    if value is None:
        return
    if isinstance(value, dict) and "messages" in value:
        messages = value["messages"]
        try:
            convert_to_messages(messages if isinstance(messages, list) else [messages])
        except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
            raise RequestError(f"input.messages: {error}") from None
    wrong = next(agent.input_validator.iter_errors(value), None)
    if wrong is not None:
        place = ".".join(("input", *map(str, wrong.absolute_path)))
        raise RequestError(f"{place}: {wrong.message}")


def check_context(agent: Agent, request: RunRequest) -> None:
    """Raise `RequestError` with the invalid field unless the graph takes the request's context."""
    try:
        agent.context_for(sent_context(request))
    except ValueError as error:
        raise RequestError(str(error)) from None


async def check_resume(runner: Runner, agent: str, thread_id: str, resume: Any) -> bool:
    """Whether the thread has open interrupts. Raises `RequestError` unless `resume` fits them.

    `resume` is the decision, or a dictionary of decisions by the interrupts' IDs.
    """
    state = await runner.state(agent, thread_id)
    asked = {one.id: one.value for one in state.interrupts}
    if isinstance(resume, dict) and resume and resume.keys() <= asked.keys():
        decisions = resume
    elif len(asked) == 1:
        decisions = dict.fromkeys(asked, resume)
    elif asked:
        raise RequestError(
            "resume: several interrupts are open; send their decisions by ID, such as "
            + dumps(dict.fromkeys(asked, "…")).decode()
        )
    else:
        return False
    for interrupt_id, decision in decisions.items():
        try:
            check_decision(asked[interrupt_id], decision)
        except ValueError as error:
            raise RequestError(f"resume: {error}") from None
    return True


async def check_checkpoint(
    runner: Runner, thread_id: str, checkpoint_id: str, namespace: str = ""
) -> dict[str, str]:
    """The IDs of a checkpoint and of those of the graphs around it, by namespace.

    Raises `CheckpointNotFoundError` unless the thread has it: LangGraph would start with an empty
    state instead.
    """
    place = {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}
    found = await runner.storage.checkpointer.aget_tuple({"configurable": place})
    if found is None:
        raise CheckpointNotFoundError
    return {**found.metadata.get("parents", {}), namespace: checkpoint_id}
