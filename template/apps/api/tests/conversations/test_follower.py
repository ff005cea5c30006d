"""Replies while the agents service is in trouble; only its HTTP responses are faked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from apps.api.src.core.accounts.models import User
from apps.api.src.core.agents.service import REFUSED, UNAVAILABLE, UNREACHABLE, connect
from apps.api.src.core.conversations import follower
from apps.api.src.core.conversations.live_reply import LiveReply
from apps.api.src.core.conversations.models import Conversation, Message, Run
from apps.api.src.core.conversations.replies import Replies
from apps.api.src.core.conversations.schemas import (
    DoneEvent,
    ErrorEvent,
    Interrupt,
    InterruptEvent,
    MessageEvent,
    ReplyEvent,
    WaitingEvent,
)
from apps.api.src.core.database import Database
from shared.settings import Settings

pytestmark = pytest.mark.usefixtures("password")
Handler = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)
CREATED = {"run_id": "r1", "status": "pending", "metadata": {}}
# More than httpx opens to one host by default.
MANY = 150
STATE = {"values": {"messages": [{"type": "ai", "content": "done"}]}}


@dataclass(frozen=True)
class Asked:
    """A prompt and its reply."""

    session: AsyncSession
    user: User
    conversation: Conversation
    replies: Replies
    reply: LiveReply


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits."""
    monkeypatch.setattr(follower, "PATIENCE", 0.3)
    monkeypatch.setattr(follower, "RETRY_DELAY", 0.01)


@asynccontextmanager
async def asked(settings: Settings, handle: Handler) -> AsyncIterator[Asked]:
    """A prompt, sent to an agents service with these responses."""
    database = Database(settings)
    transport = httpx.MockTransport(handle)
    client = LangGraphClient(httpx.AsyncClient(base_url="http://agents", transport=transport))
    replies = Replies(database, client)
    try:
        async with database.session() as session:
            user = (await session.scalars(select(User))).one()
            conversation = Conversation(user_id=user.id, agent="any")
            session.add(conversation)
            await session.flush()
            _, reply = await replies.start(session, conversation, "hello", {"prompt": "hello"})
            yield Asked(session, user, conversation, replies, reply)
    finally:
        await replies.close()
        await database.engine.dispose()


async def ask(settings: Settings, handle: Handler) -> list[ReplyEvent]:
    """The events of a reply while the agents service has these responses."""
    async with asked(settings, handle) as prompt:
        return [event async for _, event in prompt.reply.events()]


def healthy(request: httpx.Request) -> httpx.Response:
    """A service that replies at once."""
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


def types(events: list[ReplyEvent]) -> str:
    return " ".join(event.type for event in events)


async def test_the_agents_service_receives_the_user(settings: Settings) -> None:
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return healthy(request)

    assert types(await ask(settings, handle)) == "message done"
    assert all(headers["x-platform-roles"] == "admin" for headers in seen)
    assert len({headers["x-platform-user"] for headers in seen}) == 1


async def test_a_service_that_does_not_come_back_ends_the_reply(settings: Settings) -> None:
    gone = False

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal gone
        gone = gone or request.url.path.endswith("/stream")
        if gone:
            raise httpx.ConnectError("gone")
        return healthy(request)

    events = await ask(settings, handle)

    assert types(events) == "waiting error done"
    assert events[:2] == [
        WaitingEvent(detail=follower.NOT_HEARD),
        ErrorEvent(detail=follower.GAVE_UP),
    ]


async def test_a_prompt_waits_for_a_service_that_is_being_replaced(settings: Settings) -> None:
    refusals = iter([httpx.ConnectError("gone"), httpx.ConnectTimeout("gone"), None])

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/schemas") and (refusal := next(refusals, None)):
            raise refusal
        return healthy(request)

    events = await ask(settings, handle)

    assert types(events) == "waiting waiting message done"
    assert [event.detail for event in events if isinstance(event, WaitingEvent)] == [
        follower.NOT_SENT,
        None,
    ]


async def test_a_prompt_does_not_wait_forever(settings: Settings) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    events = await ask(settings, handle)

    assert types(events) == "waiting error done"
    assert events[1] == ErrorEvent(detail=UNREACHABLE)


async def test_a_prompt_that_waits_can_be_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", 60.0)

    def handle(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    async with asked(settings, handle) as prompt:
        events = prompt.reply.events()
        assert (await anext(events))[1] == WaitingEvent(detail=follower.NOT_SENT)
        await prompt.replies.cancel(prompt.session, prompt.conversation, prompt.user)
        last = [event async for _, event in events][-1]

    assert last == DoneEvent(status="interrupted", cancelled=True)


async def test_a_run_that_the_service_lost_ends_the_reply(settings: Settings) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            return httpx.Response(404, json={"detail": "no such run"})
        return healthy(request)

    assert (await ask(settings, handle))[0] == ErrorEvent(detail=follower.LOST)


async def test_a_lost_response_to_the_submission_does_not_double_the_run(
    settings: Settings,
) -> None:
    created: list[dict[str, Any]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            created.append(CREATED | {"metadata": {follower.RUN_KEY: 1}})
            raise httpx.ReadTimeout("the response was lost")
        if request.url.path.endswith("/runs"):
            return httpx.Response(200, json=created)
        return healthy(request)

    assert types(await ask(settings, handle)) == "waiting waiting message done"
    assert len(created) == 1


async def test_a_run_that_was_given_up_makes_way_for_the_next(settings: Settings) -> None:
    strategies: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            strategies.append("interrupt" if b'"interrupt"' in request.content else "reject")
            if strategies == ["reject"]:
                return httpx.Response(409, json={"detail": "busy"})
        return healthy(request)

    assert types(await ask(settings, handle)) == "message done"
    assert strategies == ["reject", "interrupt"]


async def test_a_refusal_is_passed_on(settings: Settings) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"detail": "Too many runs; wait a minute."})

    [error, _] = await ask(settings, handle)

    assert isinstance(error, ErrorEvent)
    assert "wait a minute" in error.detail


async def test_an_agent_that_the_user_may_not_use_is_refused_without_names(
    settings: Settings,
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(404, json={"detail": "No such agent: there are board, payroll."})
        return healthy(request)

    assert (await ask(settings, handle))[0] == ErrorEvent(detail=UNAVAILABLE)


async def test_only_technical_roles_read_why_a_request_was_invalid(
    settings: Settings, set_roles: Callable[[list[str]], None]
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(422, json={"detail": [{"msg": "no: token=abc123"}]})
        return healthy(request)

    plain = REFUSED.format(reference=1)
    raised = f"{plain}\n\nError from the agents service: no: token=[redacted]"
    async with asked(settings, handle) as prompt:
        first = [event async for _, event in prompt.reply.events()]
        await asyncio.to_thread(set_roles, ["sales"])
        again = [event async for _, event in prompt.replies.events(1, "error", 0)]
    assert (first[0], again[0]) == (ErrorEvent(detail=raised), ErrorEvent(detail=plain))


@pytest.mark.parametrize(
    ("name", "text"),
    [("RunTimeout", "It took too long."), ("ValueError", "failed at token=abc123 in line 3")],
)
async def test_only_technical_roles_read_what_an_agent_raised(
    settings: Settings, set_roles: Callable[[list[str]], None], name: str, text: str
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            data = json.dumps({"error": name, "message": text})
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, text=f"event: error\ndata: {data}\n\n")
        if request.url.path.endswith("/r1"):
            return httpx.Response(200, json=CREATED | {"status": "error"})
        return healthy(request)

    seen = []
    async with asked(settings, handle) as prompt:
        _ = [event async for _, event in prompt.reply.events()]
        run = (await prompt.session.scalars(select(Run))).one()
        for roles in (["sales"], ["developer"], ["admin"]):
            await asyncio.to_thread(set_roles, roles)
            events = [event async for _, event in prompt.replies.events(run.id, run.status, 0)]
            assert isinstance(events[0], ErrorEvent)
            seen.append(events[0].detail)
    plain = follower.FAILED.format(reference=run.id)
    raised = f"{plain}\n\nfailed at token=[redacted] in line 3"
    assert seen == ([text] * 3 if name == "RunTimeout" else [plain, raised, raised])


async def test_an_error_is_stored_as_postgresql_can_store_it(settings: Settings) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            text = 'event: error\ndata: {"message": "not\\u0000 today"}\n\n'
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)
        if request.url.path.endswith("/r1"):
            return httpx.Response(200, json=CREATED | {"status": "error"})
        return healthy(request)

    error = (await ask(settings, handle))[0]
    assert isinstance(error, ErrorEvent)
    assert error.detail.endswith("\n\nnot today")


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_decision_that_did_not_reach_the_agent_leaves_the_interrupt_open(
    settings: Settings, reachable: bool
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if b'"resume"' in request.content:
            if not reachable:
                raise httpx.ConnectError("gone")
            detail = [{"loc": ["body"], "msg": "resume: say yes or no", "type": "value_error"}]
            return httpx.Response(422, json={"detail": detail})
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json={"interrupts": [{"id": "i1", "value": "Sure?"}]})
        return healthy(request)

    async with asked(settings, handle) as prompt:
        first = [event async for _, event in prompt.reply.events()]
        decision = {"resume": {"i1": "perhaps"}}
        _, reply = await prompt.replies.start(
            prompt.session, prompt.conversation, "perhaps", decision
        )
        again = [event async for _, event in reply.events()]
    waiting = [] if reachable else [again.pop(0)]
    assert [event.type for event in waiting] == ["waiting"] * (not reachable)
    assert (types(first), types(again)) == ("interrupt done", "interrupt error done")
    assert isinstance(again[0], InterruptEvent)
    assert (again[0].message.content, again[0].message.interrupt) == (
        "Sure?",
        Interrupt(id="i1", value="Sure?"),
    )
    assert isinstance(again[1], ErrorEvent)
    assert ("say yes or no" in again[1].detail) == reachable
    assert again[-1] == DoneEvent(status="interrupted", cancelled=False)


@pytest.mark.parametrize(
    ("status", "rest"),
    [("interrupted", "done"), ("error", "error done"), ("timeout", "error done")],
)
async def test_the_part_of_a_reply_that_had_arrived_is_kept(
    settings: Settings, status: str, rest: str
) -> None:
    pieces = [("plan", "A plan"), ("text", "Half a\\u0000 "), ("text", "reply")]
    stream = "".join(
        f'event: messages\ndata: [{{"type": "AIMessageChunk", "id": "{text}", "content": '
        f'"{piece}"}}, {{"langgraph_node": "{text}"}}]\n\n'
        for text, piece in pieces
    )

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=stream)
        if request.url.path.endswith("/r1"):
            return httpx.Response(200, json=CREATED | {"status": status})
        return healthy(request)

    async with asked(settings, handle) as prompt:
        events = [event async for _, event in prompt.reply.events()]
        stored = list(await prompt.session.scalars(select(Message).order_by(Message.id)))
    assert types(events) == f"token token token message {rest}"
    assert isinstance(event := events[3], MessageEvent)
    assert (event.message.content, event.message.incomplete) == ("Half a reply", status)
    assert [message.incomplete for message in stored] == [None, status]
    assert events[-1] == DoneEvent.model_validate(
        {"status": status, "cancelled": status == "interrupted"}
    )


async def test_an_agent_without_a_reply_is_an_error(settings: Settings) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json={"values": {"messages": []}})
        return healthy(request)

    assert (await ask(settings, handle))[0] == ErrorEvent(
        detail=follower.NO_REPLY.format(reference=1)
    )


@pytest.mark.parametrize(
    ("values", "content", "result"),
    [
        ("Plain words.", "Plain words.", None),
        (["a", "b"], '[\n  "a",\n  "b"\n]', ["a", "b"]),
        ({"messages": [], "prompt": "hello", "sum": 0}, '{\n  "sum": 0\n}', {"sum": 0}),
    ],
)
async def test_what_an_agent_without_messages_returns_is_its_reply(
    settings: Settings, values: Any, content: str, result: Any
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json={"values": values})
        return healthy(request)

    reply = (await ask(settings, handle))[0]

    assert isinstance(reply, MessageEvent)
    assert (reply.message.content, reply.message.result) == (content, result)


async def test_a_malformed_response_fails_without_internals(settings: Settings) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/state"):
            return httpx.Response(200, json=["surprise"])
        return healthy(request)

    assert (await ask(settings, handle))[0] == ErrorEvent(
        detail=follower.BROKEN.format(reference=1)
    )


async def test_a_reply_that_is_being_submitted_is_over_when_its_cancel_returns(
    settings: Settings,
) -> None:
    submitting, go_on = asyncio.Event(), asyncio.Event()
    cancelled: list[str] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/cancel"):
            cancelled.append(request.url.path)
            return httpx.Response(202)
        if request.method == "POST":
            submitting.set()
            await go_on.wait()
        elif request.url.path.endswith("/r1") and cancelled:
            return httpx.Response(200, json=CREATED | {"status": "interrupted"})
        return healthy(request)

    async with asked(settings, handle) as prompt:
        await submitting.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        await prompt.replies.cancel(prompt.session, prompt.conversation, prompt.user, wait=True)
        run = (await prompt.session.scalars(select(Run))).one()
    assert (len(cancelled), run.status, run.cancelled) == (1, "interrupted", True)


async def test_the_number_of_concurrent_replies_is_not_limited(settings: Settings) -> None:
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
    replies = [asyncio.create_task(client.runs.join("t", "r")) for _ in range(MANY)]

    async with server, asyncio.timeout(30):
        await all_asked.wait()
        for reply in replies:
            reply.cancel()
        await asyncio.gather(*replies, return_exceptions=True)
        await client.aclose()
