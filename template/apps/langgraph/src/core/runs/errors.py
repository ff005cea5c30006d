"""Errors of runs, as users see them."""

from langgraph.errors import EmptyInputError, GraphRecursionError

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.agents.loading import explain
from shared.settings import get_settings


class RunTimeoutError(Exception):
    """The run exceeded its time limit."""


class CostLimitError(Exception):
    """The run exceeded its limit of cost."""


def describe(error: BaseException, agent: Agent, run_id: str) -> dict[str, str]:
    """The `error` and `message` of a failed run, without internals.

    In development they are those of the exception, with file and line, for the agent's author.
    """
    name, message = _known(error)
    if not message:
        message = f"The agent failed; see run {run_id} in the service's log."
        if get_settings().environment == "development":
            name, message = type(error).__name__, explain(error, agent.folder)
    return {"error": name, "message": message}


def _known(error: BaseException) -> tuple[str, str]:
    if isinstance(error, RunTimeoutError | CostLimitError):
        return type(error).__name__.removesuffix("Error"), str(error)
    if isinstance(error, GraphRecursionError):
        return "StepLimit", "The agent exceeded its limit of steps."
    if isinstance(error, EmptyInputError):
        return "EmptyInput", "The thread has no state to continue from: send an input."
    return "AgentError", ""
