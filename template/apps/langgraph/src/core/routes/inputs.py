"""Refuses an input that the agent cannot take, before anything is stored."""

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from langchain_core.messages import convert_to_messages

from apps.langgraph.src.core.agents import Agent
from apps.langgraph.src.core.routes.errors import RequestError


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
