"""Conversations and their messages. Those of other users do not exist (404)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import and_, or_, select

from apps.api.src.core import models
from apps.api.src.core.agents_service import agents_for, on_behalf_of, unavailable
from apps.api.src.core.database import DbSession
from apps.api.src.core.problems import problems
from apps.api.src.core.schemas import (
    Conversation,
    ConversationChange,
    ConversationPage,
    Message,
    MessagePage,
    NewConversation,
)
from apps.api.src.core.security import CurrentUser

router = APIRouter(prefix="/conversations", tags=["conversations"])
Limit = Annotated[int, Query(ge=1, le=200)]
# Microseconds and the ID of the last conversation on the page.
Cursor = Annotated[str, Query(pattern=r"^[0-9]{1,17}_[0-9a-f]{32}$")]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def own_conversation(
    conversation_id: UUID, session: DbSession, user: CurrentUser
) -> models.Conversation:
    """The conversation of the path, if it is the user's."""
    conversation = await session.get(models.Conversation, conversation_id)
    if conversation is None or conversation.user_id != user.id:
        raise HTTPException(404, "There is no such conversation: it may have been deleted.")
    return conversation


OwnConversation = Annotated[models.Conversation, Depends(own_conversation)]


@router.get("", responses=problems(401, 422, 503))
async def list_conversations(
    session: DbSession, user: CurrentUser, limit: Limit = 50, cursor: Cursor | None = None
) -> ConversationPage:
    """The user's conversations, the most recently used first."""
    table = models.Conversation
    query = select(table).where(table.user_id == user.id)
    if cursor is not None:
        moment, last_id = _read_cursor(cursor)
        query = query.where(
            or_(
                table.updated_at < moment,
                and_(table.updated_at == moment, table.id < last_id),
            )
        )
    rows = list(
        await session.scalars(
            query.order_by(table.updated_at.desc(), table.id.desc()).limit(limit + 1)
        )
    )
    page = rows[:limit]
    return ConversationPage(
        items=[Conversation.model_validate(row) for row in page],
        next=_write_cursor(page[-1]) if len(rows) > limit else None,
    )


@router.post("", status_code=201, responses=problems(400, 401, 403, 404, 413, 422, 502, 503))
async def create_conversation(
    body: NewConversation, request: Request, session: DbSession, user: CurrentUser
) -> Conversation:
    """Start a conversation with an agent."""
    agents = await agents_for(request.app.state.agents, user)
    if not any(agent.name == body.agent for agent in agents):
        raise HTTPException(404, "There is no such agent for you: choose one of the list.")
    conversation = models.Conversation(user_id=user.id, agent=body.agent)
    session.add(conversation)
    await session.commit()
    await session.refresh(conversation)
    return Conversation.model_validate(conversation)


@router.get("/{conversation_id}", responses=problems(401, 404, 422, 503))
async def get_conversation(conversation: OwnConversation) -> Conversation:
    """One conversation."""
    return Conversation.model_validate(conversation)


@router.patch("/{conversation_id}", responses=problems(400, 401, 403, 404, 413, 422, 503))
async def update_conversation(
    body: ConversationChange, conversation: OwnConversation, session: DbSession
) -> Conversation:
    """Give a conversation another title."""
    conversation.title = body.title
    await session.commit()
    await session.refresh(conversation)
    return Conversation.model_validate(conversation)


@router.delete(
    "/{conversation_id}", status_code=204, responses=problems(401, 403, 404, 422, 502, 503)
)
async def delete_conversation(
    conversation: OwnConversation, request: Request, session: DbSession, user: CurrentUser
) -> None:
    """Delete a conversation for good, here and in the agents service; stops its answer."""
    answers, agents = request.app.state.answers, request.app.state.agents
    try:
        await answers.cancel(session, conversation, user, wait=True)
        await agents.threads.delete(str(conversation.id), headers=on_behalf_of(user))
    except NotFoundError:
        # The agents service never heard of it.
        pass
    except httpx.HTTPError as error:
        raise unavailable(error) from error
    # In the order in which an end is stored, a run before its conversation: no deadlock.
    runs = select(models.Run.id).where(models.Run.conversation_id == conversation.id)
    await session.execute(runs.order_by(models.Run.id).with_for_update())
    await session.delete(conversation)
    await session.commit()


@router.get("/{conversation_id}/messages", responses=problems(401, 404, 422, 503))
async def list_messages(
    conversation: OwnConversation,
    session: DbSession,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> MessagePage:
    """The last messages, or the last of those before the message `before`."""
    table = models.Message
    query = select(table).where(table.conversation_id == conversation.id)
    if before is not None:
        query = query.where(table.id < before)
    rows = list(await session.scalars(query.order_by(table.id.desc()).limit(limit + 1)))
    page = rows[:limit][::-1]
    return MessagePage(
        items=[Message.model_validate(row) for row in page],
        before=page[0].id if len(rows) > limit else None,
    )


def _write_cursor(row: models.Conversation) -> str:
    return f"{(row.updated_at - EPOCH) // timedelta(microseconds=1)}_{row.id.hex}"


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    microseconds, last_id = cursor.split("_")
    return EPOCH + timedelta(microseconds=int(microseconds)), UUID(last_id)
