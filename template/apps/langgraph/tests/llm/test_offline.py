"""The offline model behaves like a real one: it streams, calls tools and fills schemas."""

from typing import Literal

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from apps.langgraph.src.core.llm.offline import OfflineChatModel
from apps.langgraph.src.core.llm.offline_words import subject_of

model = OfflineChatModel()


@tool
def order_status(order_id: str) -> str:
    """The status of an order."""
    return order_id


@tool
def weather(city: str, days: int) -> str:
    """The weather forecast."""
    return f"{city} {days}"


def test_says_what_it_is_and_replies_the_same_again() -> None:
    first, second = model.invoke("Hello"), model.invoke("Hello")
    assert "demo model" in first.text
    assert first.text == second.text != model.invoke("Something else").text


async def test_streams_its_reply() -> None:
    chunks = [chunk async for chunk in model.astream("Tell me about tea")]
    assert len(chunks) > 10
    assert "".join(chunk.text for chunk in chunks) == model.invoke("Tell me about tea").text
    assert chunks[-1].usage_metadata is not None


def test_inner_calls_carry_no_note() -> None:
    assert "demo model" not in model.invoke("Hello", {"tags": ["nostream"]}).text


async def test_inner_calls_of_a_streamed_graph_carry_no_note() -> None:
    inner = model.with_config(tags=["nostream"])

    async def node(state: MessagesState) -> MessagesState:
        return {"messages": [await inner.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    start = MessagesState(messages=[HumanMessage("Hello")])
    stream = graph.astream(start, stream_mode=["messages", "values"])
    last = [part async for mode, part in stream if mode == "values"][-1]
    assert "demo model" not in last["messages"][-1].text


def test_calls_the_tool_that_the_request_is_about() -> None:
    prompt = "What will the weather be in Paris for 3 days?"
    [call] = model.bind_tools([order_status, weather]).invoke(prompt).tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris", "days": 3})


def test_calls_no_tool_without_a_reason() -> None:
    assert model.bind_tools([order_status, weather]).invoke("Hello").tool_calls == []


@tool
def research(task: str) -> str:
    """Research a question."""
    return task


def test_gives_a_task_to_a_worker_but_not_a_greeting() -> None:
    bound = model.bind_tools([order_status, research])
    prompt = HumanMessage("My parcel arrived broken")
    call = bound.invoke([prompt])
    assert [(one["name"], one["args"]) for one in call.tool_calls] == [
        ("research", {"task": "My parcel arrived broken"})
    ]
    result = ToolMessage("done", tool_call_id=call.tool_calls[0]["id"], name="research")
    assert bound.invoke([prompt, call, result]).tool_calls == []
    assert bound.invoke("Good morning!").tool_calls == []


@pytest.mark.parametrize("greeting", ["Hello", "hi there!", "Good morning, Ann", "Hey"])
def test_returns_a_greeting(greeting: str) -> None:
    assert model.invoke(greeting).text.startswith("Hello! How can I help you?")


def test_says_what_a_real_model_would_do() -> None:
    reply = model.bind_tools([order_status]).invoke("My parcel arrived broken").text
    assert "“My parcel arrived broken”" in reply
    assert "With a real model, this agent would" in reply
    assert "order_status" in reply


class Email(BaseModel):
    """An e-mail."""

    recipient: str
    subject: str
    body: str


def test_drafts_an_email_about_its_subject() -> None:
    email = model.with_structured_output(Email).invoke("My parcel arrived broken. What now?")
    assert isinstance(email, Email)
    assert email.subject == "My parcel arrived broken"
    assert email.body.startswith("Dear customer,")
    assert "My parcel arrived broken" in email.body


class Plan(BaseModel):
    """A plan."""

    title: str
    steps: list[str]


def test_plans_steps() -> None:
    plan = model.with_structured_output(Plan).invoke("Plan the move of our office")
    assert isinstance(plan, Plan)
    assert plan.title == "The move of our office"
    assert (
        plan.steps[0] == "Collect what is known about the move of our office and what is still open"
    )


def test_replies_with_the_result_of_a_tool() -> None:
    bound = model.bind_tools([order_status])
    prompt = HumanMessage("What is the status of order A-7?")
    call = bound.invoke([prompt])
    result = ToolMessage("on its way", tool_call_id=call.tool_calls[0]["id"], name="order_status")
    reply = bound.invoke([prompt, call, result])
    assert reply.tool_calls == []
    assert "on its way" in reply.text


@pytest.mark.parametrize("choice", ["any", "required", "order_status"])
def test_obeys_a_forced_choice(choice: str) -> None:
    reply = model.bind_tools([order_status], tool_choice=choice).invoke("Hello")
    assert isinstance(reply, AIMessage)
    assert [call["name"] for call in reply.tool_calls] == ["order_status"]


class Item(BaseModel):
    title: str = Field(max_length=20)
    kind: Literal["big", "small"]


class Order(BaseModel):
    """An order."""

    items: list[Item] = Field(min_length=2, max_length=2)
    amount: int = Field(ge=5, le=10)
    note: str | None = None
    ratio: float = Field(gt=0, lt=5)
    urgent: bool


class Note(TypedDict):
    """A note."""

    text: str
    tags: list[str]


def test_fills_a_pydantic_model() -> None:
    order = model.with_structured_output(Order).invoke("Order 7 small tables")
    assert isinstance(order, Order)
    assert order.amount == 7
    assert {item.kind for item in order.items} == {"small"}
    assert order.items[0].title != order.items[1].title


def test_fills_a_typed_dict_and_a_json_schema() -> None:
    schema = {
        "title": "Note",
        "description": "A note",
        "type": "object",
        "properties": {"text": {"type": "string"}},
    }
    assert model.with_structured_output(Note).invoke("Note: tea").keys() == {"text", "tags"}  # type: ignore[union-attr]
    assert model.with_structured_output(schema).invoke("Note: tea").keys() == {"text"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        ("Write a marketing brief for a solar backpack. It is new.", "a solar backpack"),
        ("Please launch our e-bike!", "our e-bike"),
        ("Announce a cup for commuters", "a cup for commuters"),
        ("Section: Why\nRequest: Sell tea", "tea"),
        ("", "this request"),
    ],
)
def test_subject_of_a_request(request_: str, subject: str) -> None:
    assert subject_of(request_) == subject
