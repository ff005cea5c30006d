"""The offline model's tool calls: the choice of a tool and its arguments."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall
from langchain_core.utils.json_schema import dereference_refs

from apps.langgraph.src.core.llm.offline_words import field_text, is_greeting, last_request

LIST_LENGTH = 3
# Words of a prompt that do not point to a tool.
COMMON_WORDS = re.compile(
    r"\b(a|about|an|and|are|as|at|by|can|do|for|from|get|give|has|have|how|i|in|is|it|its|me|my|of|on"
    r"|or|our|please|should|that|the|their|them|this|to|use|was|what|when|where|which|who|why|will"
    r"|with|you|your)\b"
)


def choose(
    messages: Sequence[BaseMessage],
    tools: Sequence[dict[str, Any]],
    tool_choice: str | dict[str, Any] | bool | None,
) -> ToolCall | None:
    """The next tool call, or None for a reply in text.

    Each tool whose name or description the prompt mentions is called once, and a worker for any
    prompt that is not a greeting. A forced choice
    (`tool_choice` "any", "required", True or a name) is always followed.
    """
    if not tools or tool_choice == "none":
        return None
    specs = {tool["function"]["name"]: tool["function"] for tool in tools}
    forced = _forced_name(tool_choice)
    if forced in specs:
        return _call(specs[forced], messages)
    called = _called(messages)
    # Words that led to an earlier call do not lead to another.
    words = _stems(last_request(messages)).difference(*map(_stems, called))
    open_specs = [spec for name, spec in specs.items() if name not in called]
    best = max(open_specs, key=lambda spec: _fit(spec, words), default=None)
    if best and _fit(best, words) >= 2:
        return _call(best, messages)
    # A supervisor delegates: a tool that takes a task is a worker.
    workers = [spec for spec in open_specs if _takes_task(spec)]
    if workers and not called and not is_greeting(last_request(messages)):
        return _call(max(workers, key=lambda spec: _fit(spec, words)), messages)
    if tool_choice in ("any", "required", True):
        # The tool for structured output is the last one.
        return _call((open_specs or list(specs.values()))[-1], messages)
    return None


def example(
    schema: Mapping[str, Any], request: str, name: str = "", index: int | None = None
) -> Any:
    """A value for a JSON schema (without references) about the subject of `request`.

    `index` is the value's index in a list, so that the values of a list differ.
    """
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        mentioned = [item for item in schema["enum"] if str(item).lower() in request.lower()]
        return (mentioned or schema["enum"])[0]
    if schema.get("default") is not None:
        return schema["default"]
    for key in ("anyOf", "oneOf", "allOf"):
        if options := [item for item in schema.get(key, []) if item.get("type") != "null"]:
            return example(options[0], request, name, index)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {
                key: example(value, request, key, index)
                for key, value in schema.get("properties", {}).items()
            }
        case "array":
            low, high = schema.get("minItems", 0), schema.get("maxItems", LIST_LENGTH)
            length = max(low, min(high, LIST_LENGTH))
            items = schema.get("items", {})
            return [example(items, request, name, number) for number in range(length)]
        case "boolean":
            return True
        case "integer" | "number" as number:
            return _number(schema, request, whole=number == "integer")
        case "null":
            return None
    return _string(schema, request, name, index)


def _call(spec: Mapping[str, Any], messages: Sequence[BaseMessage]) -> ToolCall:
    request = last_request(messages)
    arguments = example(dereference_refs(dict(spec.get("parameters") or {})), request)
    return ToolCall(
        name=spec["name"],
        args=arguments if isinstance(arguments, dict) else {},
        id=f"call_{len(messages)}",
        type="tool_call",
    )


def _takes_task(spec: Mapping[str, Any]) -> bool:
    return list((spec.get("parameters") or {}).get("properties", {})) == ["task"]


def _forced_name(tool_choice: str | dict[str, Any] | bool | None) -> str:
    if isinstance(tool_choice, dict):
        return str(tool_choice.get("function", tool_choice).get("name", ""))
    return tool_choice if isinstance(tool_choice, str) else ""


def _called(messages: Sequence[BaseMessage]) -> set[str]:
    called: set[str] = set()
    for message in messages:
        if isinstance(message, HumanMessage):
            called = set()
        elif isinstance(message, AIMessage):
            called |= {call["name"] for call in message.tool_calls}
    return called


def _fit(spec: Mapping[str, Any], words: set[str]) -> int:
    """How well a tool fits a prompt: a word of its name counts twice, of its description once."""
    name = _stems(spec["name"])
    return 2 * len(words & name) + len(words & (_stems(spec.get("description", "")) - name))


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W_]{2,}", COMMON_WORDS.sub(" ", text.lower().replace("_", " ")))
    return {re.sub(r"(?<=\w{3})(ing|ed|es|s|e)$", "", word) for word in words}


def _number(schema: Mapping[str, Any], request: str, *, whole: bool) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", float("-inf")))
    high = schema.get("maximum", schema.get("exclusiveMaximum", float("inf")))
    pattern = r"(?<![\w.-])\d+(?![\w.])" if whole else r"(?<![\w.-])\d+(?:\.\d+)?(?!\w)"
    for found in re.findall(pattern, request):
        if low <= float(found) <= high:
            return int(found) if whole else float(found)
    near = min(max(1, low), high)
    return int(near) if whole else float(near)


def _string(schema: Mapping[str, Any], request: str, name: str, index: int | None) -> str:
    words = set(re.findall(r"[a-z]+", name.lower()))
    email = re.search(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", request)
    quoted = re.search(r"[\"“]([^\"”]+)[\"”]", request)
    code = re.search(r"\b[A-Z]{1,4}-?\d+\b|(?<=#)\d+\b|\b\d{3,}\b", request)
    place = re.search(r"\b(?:in|at|near|to|from)\s+((?:[A-Z][\w-]+\s?)+)", request)
    formula = re.search(r"[\d(][\d\s.+*/()-]*[+*/-][\d\s.+*/()-]*[\d)]", request)
    if schema.get("format") == "email" or words & {"email", "recipient", "to"}:
        text = email[0] if email else "customer@example.com"
    elif schema.get("format") == "date":
        text = (re.findall(r"\d{4}-\d\d-\d\d", request) or ["2030-01-01"])[0]
    elif schema.get("format") == "date-time":
        text = (re.findall(r"\d{4}-\d\d-\d\d", request) or ["2030-01-01"])[0] + "T09:00:00Z"
    elif words & {"query", "question", "prompt", "request", "task", "input"} and not index:
        text = request
    elif words & {"id", "number", "code", "order", "reference"} and code:
        text = code[0]
    elif words & {"city", "place", "location", "country", "timezone", "zone"} and place:
        text = place[1].strip()
    elif words & {"expression", "formula", "calculation"} and formula:
        text = formula[0].strip()
    elif quoted and not words & {"text", "body", "content", "draft", "summary"}:
        text = quoted[1]
    else:
        text = field_text(name, request, index)
    return text[: schema.get("maxLength", len(text))]
