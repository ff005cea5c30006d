"""Prompts and streamed answers."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from langgraph_sdk.errors import NotFoundError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core import models
from apps.api.src.core.agents_service import unavailable
from apps.api.src.core.answers import Answers, BusyError
from apps.api.src.core.database import DbSession
from apps.api.src.core.events import storable
from apps.api.src.core.problems import problems
from apps.api.src.core.routes.conversations import OwnConversation
from apps.api.src.core.schemas import AnswerEvent, Decision, Prompt
from apps.api.src.core.security import CurrentUser

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["conversations"])
MAX_TITLE = 80

# The run's ID, and its events with their numbers.
Stream = tuple[int, AsyncIterator[tuple[int, AnswerEvent]]]


def streams(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that streams `AnswerEvent`s."""
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/AnswerEvent"},
    }
    return {
        200: {
            "description": "The events of the answer; `data` of each is an AnswerEvent",
            "content": {"text/event-stream": {"itemSchema": {"properties": {"data": data}}}},
        },
        **problems(*statuses),
    }


async def last_run(conversation: OwnConversation, session: DbSession) -> models.Run:
    """The conversation's last run; 404 before the first prompt."""
    run = await session.scalar(
        select(models.Run)
        .where(models.Run.conversation_id == conversation.id)
        .order_by(models.Run.id.desc())
        .limit(1)
    )
    if run is None:
        raise HTTPException(404, "Nothing has been asked in this conversation: send a prompt.")
    return run


LastRun = Annotated[models.Run, Depends(last_run)]


async def send_prompt(
    body: Prompt, conversation: OwnConversation, request: Request, session: DbSession
) -> Stream:
    """Store the prompt and start its answer."""
    if not conversation.title:
        conversation.title = derive_title(body.prompt)
    return await _start(request, session, conversation, body.prompt, {"prompt": body.prompt})


async def answer_interrupt(
    body: Decision,
    conversation: OwnConversation,
    run: LastRun,
    request: Request,
    session: DbSession,
) -> Stream:
    """Store the decision and let the agent go on."""
    if run.status != "interrupted":
        raise HTTPException(409, "The agent waits for no decision: load the conversation again.")
    questions = await session.scalars(
        select(models.Message.interrupt).where(
            models.Message.run_id == run.id, models.Message.interrupt.is_not(None)
        )
    )
    ids = [question["id"] for question in questions if question]
    interrupt_id = body.interrupt_id or (ids[0] if len(ids) == 1 else None)
    if interrupt_id not in ids:
        raise HTTPException(
            409, f"Say which question is answered: `interrupt_id` must be one of {ids}."
        )
    text = body.value
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False, indent=2)
    return await _start(
        request, session, conversation, storable(text), {"resume": {interrupt_id: body.value}}
    )


async def attach(
    run: LastRun,
    request: Request,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Stream:
    """The events of the last run after `Last-Event-ID`, or all."""
    run_id, _, number = (last_event_id or "").partition("-")
    # An ID of an earlier run, or none of ours, means from the start.
    known = run_id == str(run.id) and number.isascii() and number.isdigit() and len(number) < 10
    answers: Answers = request.app.state.answers
    return run.id, answers.events(run.id, run.status, int(number) if known else 0)


@router.post(
    "/messages",
    response_class=EventSourceResponse,
    responses=streams(400, 401, 403, 404, 409, 413, 422, 503),
)
async def send_message(
    stream: Annotated[Stream, Depends(send_prompt)],
) -> AsyncIterator[ServerSentEvent]:
    """Send a prompt and stream the answer, which is stored even if nobody reads the stream."""
    async for event in _encode(stream):
        yield event


@router.post(
    "/resume",
    response_class=EventSourceResponse,
    responses=streams(400, 401, 403, 404, 409, 413, 422, 503),
)
async def resume_answer(
    stream: Annotated[Stream, Depends(answer_interrupt)],
) -> AsyncIterator[ServerSentEvent]:
    """Answer an interrupt and stream what follows."""
    async for event in _encode(stream):
        yield event


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses=streams(401, 404, 422, 503),
)
async def stream_answer(
    stream: Annotated[Stream, Depends(attach)],
) -> AsyncIterator[ServerSentEvent]:
    """Attach to the last answer again: all its events, or those after `Last-Event-ID`.

    Of an answer that has ended only the outcome is streamed.
    """
    async for event in _encode(stream):
        yield event


@router.post("/cancel", status_code=204, responses=problems(401, 403, 404, 422, 502, 503))
async def cancel_answer(
    conversation: OwnConversation, request: Request, session: DbSession, user: CurrentUser
) -> None:
    """Stop the running answer or dismiss an open question; fine if there is none."""
    try:
        await request.app.state.answers.cancel(session, conversation, user)
    except NotFoundError:
        # The agents service has lost it, which its follower will find out.
        pass
    except httpx.HTTPError as error:
        raise unavailable(error) from error


def derive_title(prompt: str) -> str:
    """The first line of a prompt, cut to `MAX_TITLE` characters, between words if it can be."""
    line = " ".join(prompt.strip().partition("\n")[0].split())
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    words = cut.rpartition(" ")[0]
    return (words if len(words) > MAX_TITLE // 2 else cut) + "…"


async def _start(
    request: Request,
    session: AsyncSession,
    conversation: models.Conversation,
    content: str,
    run_input: dict[str, Any],
) -> Stream:
    answers: Answers = request.app.state.answers
    try:
        run_id, answer = await answers.start(session, conversation, content, run_input)
    except BusyError:
        raise HTTPException(
            409, "An answer is still running: wait for its end, or cancel it."
        ) from None
    return run_id, answer.events()


async def _encode(stream: Stream) -> AsyncIterator[ServerSentEvent]:
    run_id, events = stream
    async for number, event in events:
        yield ServerSentEvent(data=event, event=event.type, id=f"{run_id}-{number}")
