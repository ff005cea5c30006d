"""Validates inputs and decisions before anything is stored."""

from typing import Any

from langchain_core.messages import convert_to_messages

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.authoring.approval import check_decision
from apps.langgraph.src.core.protocols.errors import CheckpointNotFoundError, RequestError
from apps.langgraph.src.core.runs.runner import Runner


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


async def check_resume(runner: Runner, agent: str, thread_id: str, resume: Any) -> None:
    """Raise `RequestError` unless `resume` fits the interrupts of the thread."""
    state = await runner.state(agent, thread_id)
    asked = {one.id: one.value for one in state.interrupts}
    if isinstance(resume, dict) and resume and resume.keys() <= asked.keys():
        decisions = resume
    elif len(asked) == 1:
        decisions = dict.fromkeys(asked, resume)
    else:
        return
    for interrupt_id, decision in decisions.items():
        try:
            check_decision(asked[interrupt_id], decision)
        except ValueError as error:
            raise RequestError(f"resume: {error}") from None


async def check_checkpoint(
    runner: Runner, thread_id: str, checkpoint_id: str, namespace: str = ""
) -> None:
    """Raise `CheckpointNotFoundError` unless the thread has the checkpoint.

    LangGraph would start with an empty state instead.
    """
    place = {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}
    if await runner.storage.checkpointer.aget_tuple({"configurable": place}) is None:
        raise CheckpointNotFoundError
