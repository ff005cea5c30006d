"""How a run ended, and the events that say so."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import User
from apps.api.src.core.agents.service import TECHNICAL_ROLES
from apps.api.src.core.conversations import models, schemas
from apps.api.src.core.conversations.schemas import DoneEvent, EndStatus, ReplyEvent


@dataclass(frozen=True)
class Outcome:
    """How a run ended, with the messages to store; `error`, `reason`, `cancelled` as in `Run`."""

    status: EndStatus
    error: str | None = None
    reason: str | None = None
    messages: list[models.Message] = field(default_factory=list)
    cancelled: bool = False


CANCELLED = Outcome("interrupted", cancelled=True)


def error_for(roles: Iterable[str], failed: models.Run | models.Conversation) -> str | None:
    """Why the run failed, in as much detail as a user with these roles may read."""
    if failed.error and failed.error_reason and TECHNICAL_ROLES & set(roles):
        return f"{failed.error}\n\n{failed.error_reason}"
    return failed.error


async def closing_events(session: AsyncSession, run_id: int) -> list[ReplyEvent]:
    """The last events of a finished run, from the database."""
    run = await session.get(models.Run, run_id, populate_existing=True)
    if run is None:
        # The conversation was deleted.
        return [DoneEvent(status="interrupted", cancelled=True)]
    events: list[ReplyEvent] = []
    messages = await session.scalars(
        select(models.Message)
        .where(models.Message.run_id == run_id, models.Message.role == "assistant")
        .order_by(models.Message.id)
    )
    for stored in messages:
        message = schemas.Message.model_validate(stored)
        events.append(
            schemas.InterruptEvent(message=message)
            if message.interrupt
            else schemas.MessageEvent(message=message)
        )
    roles = await session.scalar(
        select(User.roles)
        .join(models.Conversation, models.Conversation.user_id == User.id)
        .where(models.Conversation.id == run.conversation_id)
    )
    if error := error_for(roles or [], run):
        events.append(schemas.ErrorEvent(detail=error))
    return [*events, DoneEvent.model_validate(run)]
