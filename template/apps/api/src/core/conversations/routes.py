"""Conversations and their messages. Those of other users do not exist (404)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import select

from apps.api.src.core.accounts.models import User
from apps.api.src.core.accounts.sessions import CurrentUser
from apps.api.src.core.agents.service import agents_for, on_behalf_of, unavailable
from apps.api.src.core.conversations import models, reply_routes, schemas
from apps.api.src.core.conversations.access import OwnConversation
from apps.api.src.core.conversations.outcome import error_for
from apps.api.src.core.conversations.queries import lock_runs
from apps.api.src.core.conversations.replies import Replies
from apps.api.src.core.database import DbSession
from apps.api.src.core.platform.pagination import Cursor, Limit, after, cursor_at
from apps.api.src.core.platform.problems import problems


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.replies = Replies(app.state.database, app.state.agents)
    app.state.replies.follow_all()
    yield
    await app.state.replies.close()


router = APIRouter(prefix="/conversations", tags=["conversations"], lifespan=_lifespan)


@router.get("", responses=problems(401, 422, 503))
async def list_conversations(
    session: DbSession, user: CurrentUser, limit: Limit = 50, cursor: Cursor | None = None
) -> schemas.ConversationPage:
    """Your conversations, the most recently used first."""
    table = models.Conversation
    query = select(table).where(table.user_id == user.id)
    if cursor is not None:
        query = query.where(after(cursor, table.updated_at, table.id))
    query = query.order_by(table.updated_at.desc(), table.id.desc())
    rows = list(await session.scalars(query.limit(limit + 1)))
    page = rows[:limit]
    return schemas.ConversationPage(
        items=[_shown(row, user) for row in page],
        next=cursor_at(page[-1].updated_at, page[-1].id) if len(rows) > limit else None,
    )


@router.post("", status_code=201, responses=problems(400, 401, 403, 404, 413, 422, 502, 503))
async def create_conversation(
    body: schemas.NewConversation, request: Request, session: DbSession, user: CurrentUser
) -> schemas.Conversation:
    """Start a conversation with an agent."""
    state = request.app.state
    agents = await agents_for(state.agents, user, state.known_agents)
    if not any(agent.name == body.agent for agent in agents):
        raise HTTPException(404, "There is no such agent for you: choose one from the list.")
    conversation = models.Conversation(user_id=user.id, agent=body.agent)
    session.add(conversation)
    await session.commit()
    await session.refresh(conversation)
    return _shown(conversation, user)


@router.get("/{conversation_id}", responses=problems(401, 404, 422, 503))
async def get_conversation(
    conversation: OwnConversation, user: CurrentUser
) -> schemas.Conversation:
    """One conversation."""
    return _shown(conversation, user)


@router.patch("/{conversation_id}", responses=problems(400, 401, 403, 404, 413, 422, 503))
async def update_conversation(
    body: schemas.ConversationChange,
    conversation: OwnConversation,
    session: DbSession,
    user: CurrentUser,
) -> schemas.Conversation:
    """Change the title of a conversation."""
    conversation.title = body.title
    await session.commit()
    await session.refresh(conversation)
    return _shown(conversation, user)


@router.delete(
    "/{conversation_id}", status_code=204, responses=problems(401, 403, 404, 422, 502, 503)
)
async def delete_conversation(
    conversation: OwnConversation, request: Request, session: DbSession, user: CurrentUser
) -> None:
    """Delete a conversation for good, here and in the agents service; stops its reply."""
    replies, agents = request.app.state.replies, request.app.state.agents
    try:
        await replies.cancel(session, conversation, user, wait=True)
        await agents.threads.delete(str(conversation.id), headers=on_behalf_of(user))
    except NotFoundError:
        # The agents service has no such thread.
        pass
    except httpx.HTTPError as error:
        raise unavailable(error, user) from error
    await lock_runs(session, models.Conversation.id == conversation.id)
    await session.delete(conversation)
    await session.commit()


@router.get("/{conversation_id}/messages", responses=problems(401, 404, 422, 503))
async def list_messages(
    conversation: OwnConversation,
    session: DbSession,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> schemas.MessagePage:
    """The last messages, or the last ones before the message `before`."""
    table = models.Message
    query = select(table).where(table.conversation_id == conversation.id)
    if before is not None:
        query = query.where(table.id < before)
    rows = list(await session.scalars(query.order_by(table.id.desc()).limit(limit + 1)))
    page = rows[:limit][::-1]
    return schemas.MessagePage(
        items=[schemas.Message.model_validate(row) for row in page],
        before=page[0].id if len(rows) > limit else None,
    )


def _shown(conversation: models.Conversation, user: User) -> schemas.Conversation:
    shown = schemas.Conversation.model_validate(conversation)
    return shown.model_copy(update={"error": error_for(user.roles, conversation)})


router.include_router(reply_routes.router)
