"""An agents service in trouble; only its answers over HTTP are invented."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core import follower
from apps.api.src.core.agents_service import connect
from apps.api.src.core.answers import Answers
from apps.api.src.core.database import Database
from apps.api.src.core.events import Answer
from apps.api.src.core.models import Conversation, Message, Run, User
from apps.api.src.core.schemas import (
    AnswerEvent,
    DoneEvent,
    ErrorEvent,
    Interrupt,
    InterruptEvent,
    MessageEvent,
)
from shared.settings import Settings

pytestmark = pytest.mark.usefixtures("password")
Reply = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)
CREATED = {"run_id": "r1", "status": "pending", "metadata": {}}
# More than httpx opens to one host unless it is told.
MANY = 150
STATE = {"values": {"messages": [{"type": "ai", "content": "done"}]}}


@dataclass(frozen=True)
class Asked:
    """A question and its answer."""

    session: AsyncSession
    user: User
    conversation: Conversation
    answers: Answers
    answer: Answer


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as a service would."""
    monkeypatch.setattr(follower, "PATIENCE", 0.3)
    monkeypatch.setattr(follower, "RETRY_DELAY", 0.01)


@asynccontextmanager
async def asked(settings: Settings, reply: Reply) -> AsyncIterator[Asked]:
    """A question to an agents service that replies like this."""
    database = Database(settings)
    transport = httpx.MockTransport(reply)
    client = LangGraphClient(httpx.AsyncClient(base_url="http://agents", transport=transport))
    answers = Answers(database, client)
    try:
        async with database.session() as session:
            user = (await session.scalars(select(User))).one()
            conversation = Conversation(user_id=user.id, agent="any")
            session.add(conversation)
            await session.flush()
            _, answer = await answers.start(session, conversation, "hello", {"prompt": "hello"})
            yield Asked(session, user, conversation, answers, answer)
    finally:
        await answers.close()
        await database.engine.dispose()


async def ask(settings: Settings, reply: Reply) -> list[AnswerEvent]:
    """The events of an answer by an agents service that replies like this."""
    async with asked(settings, reply) as question:
        return [event async for _, event in question.answer.events()]


def healthy(request: httpx.Request) -> httpx.Response:
    """A service that answers at once."""
    match request.method, request.url.path.rpartition("/")[2]:
        case "GET", "schemas":
            return httpx.Response(200, json={"input_schema": {}})
        case "POST", "runs":
            return httpx.Response(200, json=CREATED)
        case "GET", "runs":
            return httpx.Response(200, json=[])
        case "GET", "stream":
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, text="event: end\ndata: {}\n\n")
        case "GET", "r1":
            return httpx.Response(200, json=CREATED | {"status": "success"})
        case "GET", "state":
            return httpx.Response(200, json=STATE)
    raise AssertionError(f"unexpected {request.method} {request.url}")


def outcome(events: list[AnswerEvent]) -> str:
    return " ".join(event.type for event in events)


async def test_the_agents_service_learns_who_asks(settings: Settings) -> None:
    seen: list[httpx.Headers] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return healthy(request)

    assert outcome(await ask(settings, reply)) == "message done"
    assert all(headers["x-platform-roles"] == "admin" for headers in seen)
    assert len({headers["x-platform-user"] for headers in seen}) == 1


async def test_a_service_that_does_not_come_back_ends_the_answer(settings: Settings) -> None:
    gone = False

    def reply(request: httpx.Request) -> httpx.Response:
        nonlocal gone
        gone = gone or request.url.path.endswith("/stream")
        if gone:
            raise httpx.ConnectError("gone")
        return healthy(request)

    events = await ask(settings, reply)

    assert outcome(events) == "error done"
    assert events[0] == ErrorEvent(detail=follower.GAVE_UP)


async def test_a_run_that_the_service_forgot_ends_the_answer(settings: Settings) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            return httpx.Response(404, json={"detail": "no such run"})
        return healthy(request)

    assert (await ask(settings, reply))[0] == ErrorEvent(detail=follower.LOST)


async def test_a_lost_reply_to_the_submission_does_not_double_the_run(settings: Settings) -> None:
    created: list[dict[str, Any]] = []

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            created.append(CREATED | {"metadata": {follower.RUN_KEY: 1}})
            raise httpx.ReadTimeout("the reply was lost")
        if request.url.path.endswith("/runs"):
            return httpx.Response(200, json=created)
        return healthy(request)

    assert outcome(await ask(settings, reply)) == "message done"
    assert len(created) == 1


async def test_a_run_that_was_given_up_makes_way_for_the_next(settings: Settings) -> None:
    strategies: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            strategies.append("interrupt" if b'"interrupt"' in request.content else "reject")
            if strategies == ["reject"]:
                return httpx.Response(409, json={"detail": "busy"})
        return healthy(request)

    assert outcome(await ask(settings, reply)) == "message done"
    assert strategies == ["reject", "interrupt"]


async def test_a_refusal_is_passed_on(settings: Settings) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"detail": "Too many runs; wait a minute."})

    [error, _] = await ask(settings, reply)

    assert isinstance(error, ErrorEvent)
    assert "wait a minute" in error.detail


async def test_an_error_is_stored_as_postgresql_can_store_it(settings: Settings) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            text = 'event: error\ndata: {"message": "not\\u0000 today"}\n\n'
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)
        if request.url.path.endswith("/r1"):
            return httpx.Response(200, json=CREATED | {"status": "error"})
        return healthy(request)

    assert (await ask(settings, reply))[0] == ErrorEvent(detail="not today")


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_decision_that_the_agent_has_not_got_leaves_the_question_open(
    settings: Settings, reachable: bool
) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if b'"resume"' in request.content:
            if not reachable:
                raise httpx.ConnectError("gone")
            detail = [{"loc": ["body"], "msg": "resume: say yes or no", "type": "value_error"}]
            return httpx.Response(422, json={"detail": detail})
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json={"interrupts": [{"id": "i1", "value": "Sure?"}]})
        return healthy(request)

    async with asked(settings, reply) as question:
        first = [event async for _, event in question.answer.events()]
        decision = {"resume": {"i1": "perhaps"}}
        _, answer = await question.answers.start(
            question.session, question.conversation, "perhaps", decision
        )
        again = [event async for _, event in answer.events()]
    assert (outcome(first), outcome(again)) == ("interrupt done", "interrupt error done")
    assert isinstance(again[0], InterruptEvent)
    assert (again[0].message.content, again[0].message.interrupt) == (
        "Sure?",
        Interrupt(id="i1", value="Sure?"),
    )
    assert isinstance(again[1], ErrorEvent)
    assert ("say yes or no" in again[1].detail) == reachable
    assert again[-1] == DoneEvent(status="interrupted")


@pytest.mark.parametrize(
    ("status", "ended", "rest"),
    [("interrupted", "cancelled", "done"), ("error", "failed", "error done")],
)
async def test_what_had_arrived_of_an_answer_is_kept(
    settings: Settings, status: str, ended: str, rest: str
) -> None:
    pieces = [("plan", "A plan"), ("text", "Half an\\u0000 "), ("text", "answer")]
    stream = "".join(
        f'event: messages\ndata: [{{"type": "AIMessageChunk", "id": "{text}", "content": '
        f'"{piece}"}}, {{"langgraph_node": "{text}"}}]\n\n'
        for text, piece in pieces
    )

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=stream)
        if request.url.path.endswith("/r1"):
            return httpx.Response(200, json=CREATED | {"status": status})
        return healthy(request)

    async with asked(settings, reply) as question:
        events = [event async for _, event in question.answer.events()]
        stored = list(await question.session.scalars(select(Message).order_by(Message.id)))
    assert outcome(events) == f"token token token message {rest}"
    assert isinstance(told := events[3], MessageEvent)
    assert (told.message.content, told.message.incomplete) == ("Half an answer", ended)
    assert [message.incomplete for message in stored] == [None, ended]


async def test_an_agent_without_an_answer_is_said_to_have_none(settings: Settings) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json={"values": {"messages": []}})
        return healthy(request)

    assert (await ask(settings, reply))[0] == ErrorEvent(detail=follower.NO_ANSWER)


async def test_an_answer_that_makes_no_sense_fails_without_internals(settings: Settings) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json=["surprise"])
        return healthy(request)

    assert (await ask(settings, reply))[0] == ErrorEvent(detail=follower.BROKEN)


async def test_an_answer_that_is_being_submitted_is_over_when_its_cancel_returns(
    settings: Settings,
) -> None:
    submitting, go_on = asyncio.Event(), asyncio.Event()
    cancelled: list[str] = []

    async def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/cancel"):
            cancelled.append(request.url.path)
            return httpx.Response(202)
        if request.method == "POST":
            submitting.set()
            await go_on.wait()
        elif request.url.path.endswith("/r1") and cancelled:
            return httpx.Response(200, json=CREATED | {"status": "interrupted"})
        return healthy(request)

    async with asked(settings, reply) as question:
        await submitting.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        await question.answers.cancel(
            question.session, question.conversation, question.user, wait=True
        )
        status = await question.session.scalar(select(Run.status))
    assert (len(cancelled), status) == (1, "cancelled")


async def test_however_many_answers_run_there_is_room_for_more(settings: Settings) -> None:
    asked, all_asked = 0, asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked == MANY:
            all_asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    settings.ports.langgraph = server.sockets[0].getsockname()[1]
    client = connect(settings)
    answers = [asyncio.create_task(client.runs.join("t", "r")) for _ in range(MANY)]

    async with server, asyncio.timeout(30):
        await all_asked.wait()
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        await client.aclose()
