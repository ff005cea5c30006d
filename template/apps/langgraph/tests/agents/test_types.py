"""Types of states and contexts, also those that JSON schema cannot express."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AnyMessage
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from apps.langgraph.src.core.agents.context import build_context
from apps.langgraph.src.core.agents.json_schemas import describe

Graph = CompiledStateGraph[Any, Any, Any, Any]


class Ordinary:
    """Neither a dataclass nor a model."""


class Old(typing.TypedDict):
    """Not supported by pydantic before Python 3.12."""

    count: int


class WithOld(TypedDict):
    """Contains one."""

    count: int
    messages: list[AnyMessage]
    strange: Old


class WithClass(TypedDict, total=False):
    """Contains ordinary objects."""

    count: int
    messages: list[AnyMessage]
    strange: dict[str, Ordinary]


class WithFunction(TypedDict):
    """Contains a function."""

    count: int
    strange: Callable[[int], int]


class Unresolved(TypedDict):
    """Names a type that there is not."""

    count: "NoSuchType"  # type: ignore[name-defined]  # noqa: F821


class Tree(TypedDict):
    """Contains itself."""

    count: int
    branches: "list[Tree]"


@dataclass
class Data:
    """Has defaults."""

    count: int = 1
    strange: Ordinary | None = None


class Model(BaseModel):
    """Has defaults."""

    count: int = 1


class Pair(NamedTuple):
    """Has defaults, and is no valid context schema for LangGraph."""

    count: int = 1


class Plain:
    """An ordinary class as the whole schema."""

    count: int

    def __init__(self, count: int = 1) -> None:
        self.count = count


def compiled(state: Any, context: Any = None) -> Graph:
    graph: Any = StateGraph(state, context)
    return graph.add_node("node", lambda state: state).set_entry_point("node").compile()


@pytest.mark.parametrize("kind", [Old, WithOld, WithClass, WithFunction, Tree, Data, Model, Pair])
def test_a_state_of_any_type_is_described(kind: Any) -> None:
    graph = compiled(kind)
    for derive in (graph.get_input_jsonschema, graph.get_output_jsonschema):
        fields = describe(derive, kind)["properties"]
        assert fields["count"]["type"] == "integer"
        assert "messages" not in fields or fields["messages"]["type"] == "array"
        assert "type" not in fields.get("strange", {})


@pytest.mark.parametrize("kind", [Old, WithOld, WithClass, Unresolved, Tree, Data, Model, Pair])
def test_a_context_of_any_type_is_described(kind: Any) -> None:
    graph = compiled(Model, kind)
    assert "count" in describe(graph.get_context_jsonschema, kind)["properties"]


@pytest.mark.parametrize("kind", [Data, Model, Pair, Plain])
def test_a_context_has_the_values_that_were_sent_and_defaults(kind: Any) -> None:
    schema = describe(compiled(Model, kind).get_context_jsonschema, kind)
    for sent, count in ((None, 1), ({}, 1), ({"count": 2, "unknown": 3}, 2)):
        assert build_context(kind, schema, sent).count == count
    with pytest.raises(ValueError, match=r"^context\.count: "):
        build_context(kind, schema, {"count": "many"})


def test_a_context_without_defaults_is_none_until_one_is_sent() -> None:
    class Required(BaseModel):
        count: int
        name: str

    schema = Required.model_json_schema()
    assert build_context(Required, schema, None) is None
    with pytest.raises(ValueError, match=r"^context\.name: "):
        build_context(Required, schema, {"count": 1})
    assert build_context(WithClass, {"properties": {"count": {}}}, {"count": 1}) == {"count": 1}
    assert build_context(None, {}, None) is None
