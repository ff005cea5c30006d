"""Replies of the native protocol, in one piece or as a stream."""

from collections.abc import AsyncGenerator
from functools import partial
from uuid import UUID

import orjson
from fastapi import Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.native.schemas import Failure, Interrupt, Reply
from apps.langgraph.src.core.protocols.responses import (
    HEARTBEAT_EVENT,
    AwaitedJson,
    EventStream,
    encode,
    location_headers,
    run_events,
)
from apps.langgraph.src.core.runs.encoding import apply, dumps, to_json
from apps.langgraph.src.core.runs.following import Result, result_of
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.stream import INTERRUPT, read_token
from apps.langgraph.src.core.storage.records import Run


def respond(runner: Runner, agent: Agent, run: Run, *, stream: bool) -> Response:
    """The response to the request that started a run."""
    if stream:
        return EventStream(_events(runner, agent, run), location_headers(run))

    async def reply() -> tuple[int, Reply]:
        result = await result_of(runner, run)
        content = await apply(partial(to_reply, agent), result)
        if not content.error:
            return 200, content
        failure = Failure(**vars(content), detail=content.error["message"])
        return 504 if content.status == "timeout" else 500, failure

    return AwaitedJson(reply, location_headers(run))


def to_reply(agent: Agent, result: Result) -> Reply:
    """A run's result in the form of this protocol."""
    run = result.run
    values = result.values if isinstance(result.values, dict) else {}
    rest = {key: values[key] for key in values if key not in ("messages", INTERRUPT)}
    asked = [
        Interrupt(id=one.id, value=orjson.loads(dumps(one.value))) for one in result.interrupts
    ]
    return Reply(
        thread_id=UUID(run.thread_id),
        run_id=UUID(run.run_id),
        status=run.status,
        output=agent.reply(values) or None,
        values=orjson.loads(dumps(rest)),
        interrupt=asked[0] if asked else None,
        interrupts=asked,
        cancelled=run.was_cancelled,
        error=run.error,
        usage=run.usage or {},
    )


async def _events(runner: Runner, agent: Agent, run: Run) -> AsyncGenerator[bytes]:
    """The run's events, reduced to metadata, tokens, steps and the end."""
    async for batch in run_events(runner, run):
        if not batch:
            yield HEARTBEAT_EVENT
        for event in batch:
            name = event.name.split("|")[0]
            if name == "metadata":
                place = {"thread_id": run.thread_id, "run_id": run.run_id}
                yield encode(name, orjson.dumps(place), event.id)
            elif name == "messages":
                if (token := read_token(event)) and token.text:
                    part = {
                        "text": token.text,
                        "message_id": token.message_id,
                        "node": token.node,
                    }
                    yield encode("token", orjson.dumps(part), event.id)
            elif event.name == "updates":
                for node in orjson.loads(event.data):
                    if node != INTERRUPT:
                        yield encode("step", orjson.dumps({"node": node}), event.id)
            elif name == "error":
                yield encode(name, event.data)
            elif name == "end":
                result = await result_of(runner, run)
                reply = await apply(partial(to_reply, agent), result)
                yield encode(name, await to_json(reply))
