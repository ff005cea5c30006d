"""Dependencies of routes on a conversation of the signed-in user."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, HTTPException

from apps.api.src.core.accounts.sessions import CurrentUser
from apps.api.src.core.conversations.models import Conversation, Run
from apps.api.src.core.conversations.queries import last_run
from apps.api.src.core.database import DbSession


async def own_conversation(
    conversation_id: UUID, session: DbSession, user: CurrentUser
) -> Conversation:
    """The conversation in the path; 404 if it is not the user's."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None or conversation.user_id != user.id:
        raise HTTPException(404, "There is no such conversation: it may have been deleted.")
    return conversation


OwnConversation = Annotated[Conversation, Depends(own_conversation)]


async def own_last_run(conversation: OwnConversation, session: DbSession) -> Run:
    """The conversation's last run; 404 before the first prompt."""
    run = await last_run(session, conversation.id)
    if run is None:
        raise HTTPException(404, "The conversation is empty: send a prompt.")
    return run


LastRun = Annotated[Run, Depends(own_last_run)]
