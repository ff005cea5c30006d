"""Refuses an input or answer that the agent cannot take, before anything is stored."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from langchain_core.messages import convert_to_messages

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.approval import check_answer
from apps.langgraph.src.core.routes.errors import CheckpointNotFoundError, RequestError
from apps.langgraph.src.core.runs.engine import Engine


def input_for(agent: Agent, prompt: str) -> dict[str, Any]:
    """The agent's input for one line of text. Raises `RequestError` if it takes none."""
    try:
        return agent.input_for(prompt)
    except ValueError as error:
        raise RequestError(f"{error}. Send these as its `input`.") from None


def check_input(agent: Agent, value: Any) -> None:
    """Raise `RequestError`, which names what is wrong, unless the agent's graph takes `value`.

    None continues a thread. Messages may have every form that LangChain converts.
    """
    if value is None:
        return
    if isinstance(value, dict) and "messages" in value:
        try:
            convert_to_messages(_as_list(value["messages"]))
        except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
            raise RequestError(f"input.messages: {error}") from None
    wrong = next(_validator(agent).iter_errors(value), None)
    if wrong is not None:
        place = ".".join(("input", *map(str, wrong.absolute_path)))
        raise RequestError(f"{place}: {wrong.message}")


async def check_resume(engine: Engine, agent: str, thread_id: str, resume: Any) -> None:
    """Raise `RequestError` unless the thread's questions can be answered with `resume`."""
    state = await engine.graph(agent).aget_state({"configurable": {"thread_id": thread_id}})
    asked = {one.id: one.value for one in state.interrupts}
    if isinstance(resume, dict) and resume and resume.keys() <= asked.keys():
        answers = resume
    elif len(asked) == 1:
        answers = dict.fromkeys(asked, resume)
    else:
        return
    for question, answer in answers.items():
        try:
            check_answer(asked[question], answer)
        except ValueError as error:
            raise RequestError(f"resume: {error}") from None


async def check_checkpoint(
    engine: Engine, thread_id: str, checkpoint_id: str, namespace: str = ""
) -> None:
    """Raise `CheckpointNotFoundError` unless the thread has the checkpoint.

    LangGraph itself would begin with an empty state.
    """
    place = {
        "thread_id": thread_id,
        "checkpoint_ns": namespace,
        "checkpoint_id": checkpoint_id,
    }
    if await engine.storage.checkpointer.aget_tuple({"configurable": place}) is None:
        raise CheckpointNotFoundError


def _as_list(messages: Any) -> list[Any]:
    return messages if isinstance(messages, list) else [messages]


# By agent name, with the version whose schema it checks.
_validators: dict[str, tuple[str, Draft202012Validator]] = {}


def _validator(agent: Agent) -> Draft202012Validator:
    version, validator = _validators.get(agent.name, ("", None))
    if validator is not None and version == agent.version:
        return validator
    schema = agent.input_schema()
    properties = dict(schema.get("properties", {}))
    if "messages" in properties:
        properties["messages"] = {}
    validator = Draft202012Validator({**schema, "properties": properties})
    _validators[agent.name] = agent.version, validator
    return validator
