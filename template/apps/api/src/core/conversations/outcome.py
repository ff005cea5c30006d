"""How a run ended, and the events that say so."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.conversations import models, schemas
from apps.api.src.core.conversations.schemas import DoneEvent, EndStatus, ReplyEvent


@dataclass(frozen=True)
class Outcome:
    """How a run ended, with the messages to store. `cancelled` is that of `models.Run`."""

    status: EndStatus
    error: str | None = None
    messages: list[models.Message] = field(default_factory=list)
    cancelled: bool = False


CANCELLED = Outcome("interrupted", cancelled=True)


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
    if run.error:
        events.append(schemas.ErrorEvent(detail=run.error))
    return [*events, DoneEvent.model_validate(run)]
