"""Prompts, decisions, and the streamed replies to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.sessions import CurrentUser
from apps.api.src.core.accounts.watch import SessionEnd
from apps.api.src.core.agents.service import unavailable
from apps.api.src.core.conversations.access import LastRun, OwnConversation
from apps.api.src.core.conversations.models import Conversation, Message
from apps.api.src.core.conversations.queries import last_run
from apps.api.src.core.conversations.replies import BusyError, Replies
from apps.api.src.core.conversations.schemas import Decision, Prompt, ReplyEvent, TakenDecision
from apps.api.src.core.conversations.translation import storable
from apps.api.src.core.database import DbSession
from apps.api.src.core.platform.problems import problems

router = APIRouter(prefix="/{conversation_id}")
MAX_TITLE = 80
DECISION_FIRST = (
    "The agent waits for your decision: decide, or dismiss the question, then send the prompt."
)
# Errors of a route that starts a run.
STARTS = (400, 401, 403, 404, 409, 413, 422, 503)

# The run's ID, and its events with their numbers.
Stream = tuple[int, AsyncIterator[tuple[int, ReplyEvent]]]


def streams(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that streams a `ReplyEvent` per server-sent event."""
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/ReplyEvent"},
    }
    return {
        200: {
            "description": "The events of the reply; `data` of each is a ReplyEvent",
            "content": {"text/event-stream": {"itemSchema": {"properties": {"data": data}}}},
        },
        **problems(*statuses),
    }


async def start_with_prompt(
    body: Prompt,
    conversation: OwnConversation,
    request: Request,
    session: DbSession,
    end: SessionEnd,
) -> Stream:
    """Store the prompt and start the run, unless a decision is awaited."""
    run = await last_run(session, conversation.id)
    if run and run.status == "interrupted" and not run.cancelled:
        raise HTTPException(409, DECISION_FIRST)
    if not conversation.title:
        conversation.title = derive_title(body.prompt)
    run_input = {"prompt": body.prompt}
    return await _start(request, session, conversation, end, body.prompt, run_input)


async def start_with_decision(
    body: Decision,
    conversation: OwnConversation,
    run: LastRun,
    request: Request,
    session: DbSession,
    user: CurrentUser,
    end: SessionEnd,
) -> Stream:
    """Store the decision and resume the agent."""
    if run.status != "interrupted" or run.cancelled:
        raise HTTPException(409, "No decision is awaited: load the conversation again.")
    interrupts = await session.scalars(
        select(Message.interrupt).where(Message.run_id == run.id, Message.interrupt.is_not(None))
    )
    ids = [interrupt["id"] for interrupt in interrupts if interrupt]
    interrupt_id = body.interrupt_id or (ids[0] if len(ids) == 1 else None)
    if interrupt_id not in ids:
        raise HTTPException(
            409, f"The decision needs its interrupt: `interrupt_id` must be one of {ids}."
        )
    text = body.value
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False, indent=2)
    taken = TakenDecision(interrupt_id=interrupt_id, value=body.value, by=user.email)
    run_input = {"resume": {interrupt_id: body.value}}
    return await _start(
        request, session, conversation, end, storable(text), run_input, taken.model_dump()
    )


async def attach(
    run: LastRun,
    request: Request,
    end: SessionEnd,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Stream:
    """The events of the last run after `Last-Event-ID`, or all."""
    run_id, _, number = (last_event_id or "").partition("-")
    # Without a valid ID of this run, start from the first event.
    known = run_id == str(run.id) and number.isascii() and number.isdigit() and len(number) < 10
    replies: Replies = request.app.state.replies
    return run.id, replies.events(run.id, run.status, int(number) if known else 0, end)


@router.post("/messages", response_class=EventSourceResponse, responses=streams(*STARTS))
async def send_prompt(
    stream: Annotated[Stream, Depends(start_with_prompt)],
) -> AsyncIterator[ServerSentEvent]:
    """Send a prompt and stream the reply, which is stored even if the connection is lost."""
    async for event in _encode(stream):
        yield event


@router.post("/resume", response_class=EventSourceResponse, responses=streams(*STARTS))
async def send_decision(
    stream: Annotated[Stream, Depends(start_with_decision)],
) -> AsyncIterator[ServerSentEvent]:
    """Send a decision on an interrupt and stream the reply."""
    async for event in _encode(stream):
        yield event


@router.get("/stream", response_class=EventSourceResponse, responses=streams(401, 404, 422, 503))
async def stream_reply(
    stream: Annotated[Stream, Depends(attach)],
) -> AsyncIterator[ServerSentEvent]:
    """Stream the last reply again: all its events, or those after `Last-Event-ID`.

    Of a finished reply, only the closing events are streamed.
    """
    async for event in _encode(stream):
        yield event


@router.post("/cancel", status_code=204, responses=problems(401, 403, 404, 422, 502, 503))
async def cancel_reply(
    conversation: OwnConversation, request: Request, session: DbSession, user: CurrentUser
) -> None:
    """Stop the reply in progress or dismiss the open interrupts; no error if there are none."""
    try:
        await request.app.state.replies.cancel(session, conversation, user)
    except NotFoundError:
        # The agents service has lost the run; its follower will notice.
        pass
    except httpx.HTTPError as error:
        raise unavailable(error, user) from error


def derive_title(prompt: str) -> str:
    """The first line of a prompt, cut to `MAX_TITLE` characters, between words if possible."""
    line = " ".join(prompt.strip().partition("\n")[0].split())
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > MAX_TITLE // 2 else cut) + "…"


async def _start(
    request: Request,
    session: AsyncSession,
    conversation: Conversation,
    end: asyncio.Future[None],
    content: str,
    run_input: dict[str, Any],
    decision: dict[str, Any] | None = None,
) -> Stream:
    replies: Replies = request.app.state.replies
    try:
        run_id, reply = await replies.start(session, conversation, content, run_input, decision)
    except BusyError:
        raise HTTPException(
            409, "A reply is still in progress: wait for its end, or cancel it."
        ) from None
    return run_id, reply.events(until=end)


async def _encode(stream: Stream) -> AsyncIterator[ServerSentEvent]:
    run_id, events = stream
    # Proxies pass the headers on with the first bytes, and the web waits for them before it stops a
    # reply: an agent's first event may be long in coming.
    yield ServerSentEvent(comment="accepted")
    async for number, event in events:
        yield ServerSentEvent(data=event, event=event.type, id=f"{run_id}-{number}")
