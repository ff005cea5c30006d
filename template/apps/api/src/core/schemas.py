"""What the API takes and gives; the web client's types are generated from these."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

# PostgreSQL stores no NUL character.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$"),
]


def _plain(value: JsonValue) -> JsonValue:
    try:
        plain: JsonValue = orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        raise ValueError(f"not plain JSON: {error}") from None
    return plain


# No NaN, no half of a surrogate pair, no number beyond 64 bits: what databases and services share.
PlainJson = Annotated[JsonValue, AfterValidator(_plain)]

ConversationStatus = Literal["idle", "running", "interrupted", "failed"]


class Output(BaseModel):
    """Base of what the API gives: every field is always there."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )


class Input(BaseModel):
    """Base of what the API takes: an unknown field is an error rather than lost."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Credentials(Input):
    """An account and its password."""

    email: Annotated[Text, Field(max_length=320)]
    password: Annotated[Text, Field(max_length=1024)]


class PasswordChange(Input):
    """A new password, and the proof that it is the user who wants it."""

    current_password: Annotated[Text, Field(max_length=1024)]
    new_password: Annotated[Text, Field(min_length=12, max_length=1024)]


class Account(Output):
    """The user who is signed in."""

    id: UUID
    email: str
    roles: list[str]


class Agent(Output):
    """An agent that the user may talk to."""

    name: str
    """Its ID and the name of its folder."""
    title: str
    description: str
    icon: str | None
    """The name of a Lucide icon."""
    error: str | None
    """Why it cannot be loaded; shown to administrators only."""


class NewConversation(Input):
    """With whom a conversation starts."""

    agent: Annotated[Text, Field(min_length=1, max_length=100)]


class ConversationChange(Input):
    """What can be changed in a conversation."""

    title: Title


class Conversation(Output):
    """A conversation without its messages."""

    id: UUID
    agent: str
    title: str
    """Empty until the first prompt, from which it is derived."""
    status: ConversationStatus
    error: str | None
    """Why the last answer failed."""
    created_at: datetime
    updated_at: datetime


class ConversationPage(Output):
    """Conversations, the most recently used first."""

    items: list[Conversation]
    next: str | None
    """`cursor` of the next page; null on the last."""


class Interrupt(Output):
    """A question of an agent that a human must answer before it goes on."""

    id: str | None
    value: JsonValue
    """What is asked, as the agent put it."""


class Message(Output):
    """One message of a conversation."""

    id: int
    role: Literal["user", "assistant"]
    content: str
    interrupt: Interrupt | None
    """Set when the agent asks for a decision."""
    incomplete: Literal["cancelled", "failed"] | None
    """Set when the answer was stopped or failed: `content` is what had arrived until then."""
    created_at: datetime


class MessagePage(Output):
    """Messages, the oldest first."""

    items: list[Message]
    before: int | None
    """`before` of the page with the messages before these; null if there are none."""


class Prompt(Input):
    """What the user says."""

    prompt: Annotated[Text, Field(min_length=1, max_length=100_000)]


class Decision(Input):
    """The answer to an interrupt."""

    value: PlainJson
    interrupt_id: Annotated[Text, Field(max_length=100)] | None = None
    """Which interrupt is answered; needed only when several are open."""


class TokenEvent(Output):
    """A piece of text from a model, not yet the answer: a graph may write several texts."""

    type: Literal["token"] = "token"
    step: str
    """The graph's node that writes."""
    message_id: str
    """Pieces with the same ID belong to one text."""
    text: str


class StepEvent(Output):
    """A node of the graph is done."""

    type: Literal["step"] = "step"
    step: str


class MessageEvent(Output):
    """The answer as it is stored; of one that was stopped or failed, what had arrived."""

    type: Literal["message"] = "message"
    message: Message


class InterruptEvent(Output):
    """The agent waits for a decision; the question is stored as a message."""

    type: Literal["interrupt"] = "interrupt"
    message: Message


class ErrorEvent(Output):
    """The run failed; `detail` says what to do. The prompt is stored."""

    type: Literal["error"] = "error"
    detail: str


class DoneEvent(Output):
    """The last event of a run."""

    type: Literal["done"] = "done"
    status: Literal["succeeded", "interrupted", "failed", "cancelled"]


AnswerEvent = Annotated[
    TokenEvent | StepEvent | MessageEvent | InterruptEvent | ErrorEvent | DoneEvent,
    Field(discriminator="type"),
]


class Health(Output):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Check(Output):
    """One dependency; `detail` says what is wrong and what to do."""

    ok: bool
    detail: str | None = None


class Readiness(Output):
    """Whether the service can do its work."""

    ready: bool
    database: Check
    agents: Check
