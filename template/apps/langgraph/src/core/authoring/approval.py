"""A person's decision in the middle of a run."""

from dataclasses import dataclass
from typing import Any, cast

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from langchain.agents.middleware.human_in_the_loop import (
    ActionRequest,
    Decision,
    HITLRequest,
    HITLResponse,
    ReviewConfig,
)
from langgraph.types import interrupt
from pydantic import BaseModel, TypeAdapter, ValidationError

_RESPONSE = TypeAdapter(HITLResponse)


@dataclass(frozen=True)
class Approval:
    """A person's decision on an action.

    Checkpoints may contain it: neither the class nor this module is ever moved or renamed.
    """

    approved: bool
    arguments: dict[str, Any]
    """The action's arguments, with the person's edits."""
    reason: str = ""
    """The person's reason for a rejection, if given."""


def request_approval(
    action: str,
    arguments: dict[str, Any],
    description: str,
    schema: type[BaseModel] | None = None,
) -> Approval:
    """Interrupt the run until a person approves, edits or rejects an action.

    `schema` validates edited arguments; without it the node must accept any.

    When the run is resumed, its node starts again from the top, so a node must have no side effect
    before this call. Interrupt and decision have the form of LangChain's
    `HumanInTheLoopMiddleware`: `{"decisions": [{"type": "approve"}]}`, or `"reject"` with a
    `message`, or `"edit"` with an `edited_action` (`name` and `args`). A decision of any other form
    interrupts the run again, with the error in the description.
    """
    review = ReviewConfig(action_name=action, allowed_decisions=["approve", "edit", "reject"])
    if schema is not None:
        review["args_schema"] = schema.model_json_schema()
    request = HITLRequest(
        action_requests=[ActionRequest(name=action, args=arguments, description=description)],
        review_configs=[review],
    )
    while True:
        resume = interrupt(request)
        try:
            [decision] = _decisions(request, resume)
        except ValueError as error:
            problem = f"{description}\n\nThe last decision was not understood: {error}"
            request["action_requests"][0]["description"] = problem
            continue
        if decision["type"] == "edit":
            return Approval(True, decision["edited_action"]["args"])
        if decision["type"] == "reject":
            return Approval(False, arguments, decision.get("message", ""))
        return Approval(True, arguments)


def check_decision(asked: Any, resume: Any) -> None:
    """Raise `ValueError`, saying what to send, unless `resume` fits the interrupt value `asked`.

    Only `request_approval` and LangChain's `HumanInTheLoopMiddleware` define what fits. The
    middleware stores a wrong decision, and the run then fails whenever it is resumed.
    """
    if isinstance(asked, dict) and {"action_requests", "review_configs"} <= asked.keys():
        _decisions(cast(HITLRequest, asked), resume)


def _decisions(request: HITLRequest, resume: Any) -> list[Decision]:
    try:
        decisions = _RESPONSE.validate_python(resume)["decisions"]
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"])) or "decision"
        raise ValueError(
            f"{place}: {detail['msg']}; send " + '{"decisions": [{"type": "approve"}]}'
        ) from None
    actions = request["action_requests"]
    if len(decisions) != len(actions):
        raise ValueError(f"send one decision for each action: {len(actions)}")
    reviews = {one["action_name"]: one for one in request["review_configs"]}
    for action, decision in zip(actions, decisions, strict=True):
        review = reviews[action["name"]]
        kinds = review["allowed_decisions"]
        if decision["type"] not in kinds:
            raise ValueError(f"the decision on {action['name']} must be {' or '.join(kinds)}")
        if decision["type"] == "edit" and "args_schema" in review:
            _check_arguments(decision["edited_action"]["args"], review["args_schema"])
    return decisions


def _check_arguments(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    wrong = next(Draft202012Validator(schema).iter_errors(arguments), None)
    if wrong is not None:
        place = ".".join(("args", *map(str, wrong.absolute_path)))
        raise ValueError(f"{place}: {wrong.message}")
