"""A person's decision in the middle of a run."""

from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware.human_in_the_loop import (
    ActionRequest,
    HITLRequest,
    HITLResponse,
    ReviewConfig,
)
from langgraph.types import interrupt
from pydantic import TypeAdapter, ValidationError

_RESPONSE = TypeAdapter(HITLResponse)


@dataclass(frozen=True)
class Approval:
    """What the person decided."""

    approved: bool
    arguments: dict[str, Any]
    """Those of the action, as the person left them."""
    reason: str = ""
    """Why the action was rejected, if the person said so."""


def request_approval(action: str, arguments: dict[str, Any], description: str) -> Approval:
    """Stop the run until a person approves, edits or rejects an action.

    When the run is resumed, its node starts again from the top, so nothing with an effect may come
    before this call in a node. Question and answer have the form of LangChain's
    `HumanInTheLoopMiddleware`: `{"decisions": [{"type": "approve"}]}`, or `"reject"` with a
    `message`, or `"edit"` with an `edited_action` (`name` and `args`). An answer that has another
    form is not taken: the question is asked again, with what was wrong.
    """
    request = HITLRequest(
        action_requests=[ActionRequest(name=action, args=arguments, description=description)],
        review_configs=[
            ReviewConfig(action_name=action, allowed_decisions=["approve", "edit", "reject"])
        ],
    )
    while True:
        answer = interrupt(request)
        try:
            [decision] = _RESPONSE.validate_python(answer)["decisions"]
            if decision["type"] == "respond":
                raise ValueError("the decision must be approve, edit or reject")
        except (ValidationError, ValueError) as error:
            problem = f"{description}\n\nThe last answer was not understood: {_first_line(error)}"
            request["action_requests"][0]["description"] = problem
            continue
        if decision["type"] == "edit":
            return Approval(True, decision["edited_action"]["args"])
        if decision["type"] == "reject":
            return Approval(False, arguments, decision.get("message", ""))
        return Approval(True, arguments)


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc'])) or 'answer'}: {detail['msg']}"
    return str(error)
