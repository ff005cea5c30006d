"""Request and response bodies of conversations, and the events of a streamed reply."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from apps.api.src.core.platform.schemas import Input, Output, PlainJson, Text

Title = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
# LangGraph's run statuses. The API stores a run only when it is about to start: none is pending.
EndStatus = Literal["success", "error", "timeout", "interrupted"]
RunStatus = Literal["running", EndStatus]


class NewConversation(Input):
    """The agent to talk to."""

    agent: Annotated[Text, Field(min_length=1, max_length=100)]


class ConversationChange(Input):
    """The changeable parts of a conversation."""

    title: Title


class Conversation(Output):
    """A conversation without its messages."""

    id: UUID
    agent: str
    title: str
    """Derived from the first prompt; empty before it."""
    run_status: RunStatus | None
    """Status of the last run, null before the first prompt. Interrupted means waiting for a
    decision, unless `cancelled` is set."""
    cancelled: bool
    """The last run was stopped by its user, or its interrupts were dismissed."""
    error: str | None
    """Why the last run failed; with what the agent raised for administrators and developers."""
    created_at: datetime
    updated_at: datetime


class ConversationPage(Output):
    """Conversations, the most recently used first."""

    items: list[Conversation]
    next: str | None
    """`cursor` of the next page; null on the last."""


class Interrupt(Output):
    """A question of an agent in the middle of a run, which waits for a decision."""

    id: str | None
    value: JsonValue
    """The question, as the agent raised it."""


class TakenDecision(Output):
    """A person's response to an interrupt, as it was taken."""

    interrupt_id: str
    value: JsonValue
    by: str
    """The e-mail address that the person had."""


class ToolCall(Output):
    """A call of a tool. What is not known yet is null; long values are cut."""

    id: str
    name: str
    arguments: JsonValue
    result: str | None
    failed: bool


class Step(Output):
    """A node of the graph, or a call of a tool in a node."""

    step: str
    """The graph's node."""
    tool: ToolCall | None


class Message(Output):
    """One message of a conversation."""

    id: int
    role: Literal["user", "assistant"]
    content: str
    interrupt: Interrupt | None
    """Set when the agent asks for a decision."""
    decision: TakenDecision | None
    """Set when the message is a decision."""
    steps: list[Step]
    """The steps of the finished reply to a prompt or decision, in the order of their start."""
    result: JsonValue
    """What an agent returned instead of a text; null for all other messages."""
    incomplete: Literal["interrupted", "error", "timeout"] | None
    """Set when the reply was stopped by its user (interrupted) or failed: `content` is the part
    that had arrived until then."""
    created_at: datetime


class MessagePage(Output):
    """Messages, the oldest first."""

    items: list[Message]
    before: int | None
    """`before` of the page of earlier messages; null if there are none."""


class Prompt(Input):
    """The user's text."""

    prompt: Annotated[Text, Field(min_length=1, max_length=100_000)]


class Decision(Input):
    """A person's response to an interrupt."""

    value: PlainJson
    interrupt_id: Annotated[Text, Field(max_length=100)] | None = None
    """Needed only if several interrupts are open."""


class TokenEvent(Output):
    """A piece of text from a model, which need not be part of the reply: a graph may write several
    texts."""

    type: Literal["token"] = "token"
    step: str
    """The graph's node that writes."""
    message_id: str
    """Pieces with the same ID form one text."""
    text: str


class WaitingEvent(Output):
    """The reply waits for a service; the next event of any type ends that."""

    type: Literal["waiting"] = "waiting"
    detail: str | None
    """What it waits for; null when the service is back."""


class StepEvent(Output):
    """A node of the graph is done."""

    type: Literal["step"] = "step"
    step: str


class ToolEvent(Output):
    """A model calls a tool, or the tool has returned: the fields that are set are news."""

    type: Literal["tool"] = "tool"
    step: str
    tool: ToolCall


class MessageEvent(Output):
    """The reply as it is stored; the part that had arrived if it was stopped or failed."""

    type: Literal["message"] = "message"
    message: Message


class InterruptEvent(Output):
    """The agent waits for a decision; the interrupt is stored as a message."""

    type: Literal["interrupt"] = "interrupt"
    message: Message


class ErrorEvent(Output):
    """The run failed; `detail` says what to do, and tells administrators and developers what the
    agent raised. The prompt is stored."""

    type: Literal["error"] = "error"
    detail: str


class DoneEvent(Output):
    """The last event of a run."""

    type: Literal["done"] = "done"
    status: EndStatus
    cancelled: bool
    """The user stopped the run or dismissed its interrupts."""


ReplyEvent = Annotated[
    TokenEvent
    | StepEvent
    | ToolEvent
    | WaitingEvent
    | MessageEvent
    | InterruptEvent
    | ErrorEvent
    | DoneEvent,
    Field(discriminator="type"),
]
