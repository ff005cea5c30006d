"""Queries on runs that several modules share."""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.conversations.models import Conversation, Run


async def last_run(session: AsyncSession, conversation_id: UUID) -> Run | None:
    """The last run of a conversation; None before the first prompt."""
    runs = select(Run).where(Run.conversation_id == conversation_id)
    return await session.scalar(runs.order_by(Run.id.desc()).limit(1))


async def lock_runs(session: AsyncSession, conversations: ColumnElement[bool]) -> None:
    """Lock the runs of the matching conversations before these are deleted.

    The end of a run is stored in the same order, the run before its conversation: no deadlock.
    """
    ids = select(Conversation.id).where(conversations)
    runs = select(Run.id).where(Run.conversation_id.in_(ids)).order_by(Run.id)
    await session.execute(runs.with_for_update())
