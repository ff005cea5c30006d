"""What users are told about runs that did not succeed."""

from langgraph.errors import EmptyInputError, GraphRecursionError

from apps.langgraph.src.core.agents import Agent, explain
from shared.settings import get_settings


class RunTimeoutError(Exception):
    """The run took longer than it may."""


class CostLimitError(Exception):
    """The run cost more than it may."""


def describe(error: BaseException, agent: Agent, run_id: str) -> dict[str, str]:
    """The name of an error and a message without internals, as clients and logs name it.

    In development the message is the error's own, with its place, because its reader is the agent's
    author.
    """
    name, message = _known(error)
    if not message:
        message = f"The agent failed; the service's log has the details under run {run_id}."
        if get_settings().environment == "development":
            name, message = type(error).__name__, explain(error, agent.folder)
    return {"error": name, "message": message}


def _known(error: BaseException) -> tuple[str, str]:
    if isinstance(error, RunTimeoutError | CostLimitError):
        return type(error).__name__.removesuffix("Error"), str(error)
    if isinstance(error, GraphRecursionError):
        return "StepLimit", "The agent took more steps than it may without coming to an end."
    if isinstance(error, EmptyInputError):
        return "EmptyInput", "The thread has nothing to continue from: send an input."
    return "AgentError", ""
