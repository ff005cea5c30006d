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
    """What the person decided."""

    approved: bool
    arguments: dict[str, Any]
    """Those of the action, as the person left them."""
    reason: str = ""
    """Why the action was rejected, if the person said so."""


def request_approval(
    action: str,
    arguments: dict[str, Any],
    description: str,
    schema: type[BaseModel] | None = None,
) -> Approval:
    """Stop the run until a person approves, edits or rejects an action.

    `schema` is what edited arguments must fit: without one the node has to expect any.

    When the run is resumed, its node starts again from the top, so nothing with an effect may come
    before this call in a node. Question and answer have the form of LangChain's
    `HumanInTheLoopMiddleware`: `{"decisions": [{"type": "approve"}]}`, or `"reject"` with a
    `message`, or `"edit"` with an `edited_action` (`name` and `args`). An answer that has another
    form is not taken: the question is asked again, with what was wrong.
    """
    review = ReviewConfig(action_name=action, allowed_decisions=["approve", "edit", "reject"])
    if schema is not None:
        review["args_schema"] = schema.model_json_schema()
    request = HITLRequest(
        action_requests=[ActionRequest(name=action, args=arguments, description=description)],
        review_configs=[review],
    )
    while True:
        answer = interrupt(request)
        try:
            [decision] = _decisions(request, answer)
        except ValueError as error:
            problem = f"{description}\n\nThe last answer was not understood: {error}"
            request["action_requests"][0]["description"] = problem
            continue
        if decision["type"] == "edit":
            return Approval(True, decision["edited_action"]["args"])
        if decision["type"] == "reject":
            return Approval(False, arguments, decision.get("message", ""))
        return Approval(True, arguments)


def check_answer(question: Any, answer: Any) -> None:
    """Raise `ValueError`, which says what to send, unless the answer has the question's form.

    Only the questions of `request_approval` and of LangChain's `HumanInTheLoopMiddleware` have one.
    The middleware keeps a wrong answer and fails with it whenever the run is resumed.
    """
    if isinstance(question, dict) and {"action_requests", "review_configs"} <= question.keys():
        _decisions(cast(HITLRequest, question), answer)


def _decisions(request: HITLRequest, answer: Any) -> list[Decision]:
    try:
        decisions = _RESPONSE.validate_python(answer)["decisions"]
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"])) or "answer"
        raise ValueError(
            f"{place}: {detail['msg']}; send " + '{"decisions": [{"type": "approve"}]}'
        ) from None
    actions = request["action_requests"]
    if len(decisions) != len(actions):
        raise ValueError(f"send as many decisions as there are actions: {len(actions)}")
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
