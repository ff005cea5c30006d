"""Replies of the native protocol, in one piece or as a stream."""

from collections.abc import AsyncGenerator
from uuid import UUID

import orjson
from fastapi import Response

from apps.langgraph.src.core.agents.definition import Agent
from apps.langgraph.src.core.protocols.native.schemas import Failure, Interrupt, Reply
from apps.langgraph.src.core.protocols.responses import (
    HEARTBEAT_EVENT,
    EventStream,
    JsonResponse,
    encode,
    run_events,
)
from apps.langgraph.src.core.runs.encoding import dumps
from apps.langgraph.src.core.runs.following import Result, result_of
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.stream import INTERRUPT, token_text
from apps.langgraph.src.core.storage.records import Run


async def respond(runner: Runner, agent: Agent, run: Run, *, stream: bool) -> Response:
    """The response to the request that started a run."""
    headers = {"Content-Location": f"/threads/{run.thread_id}/runs/{run.run_id}"}
    if stream:
        return EventStream(_events(runner, agent, run), headers)
    result = await result_of(runner, run)
    if error := result.run.error:
        content = Failure(
            detail=error["message"],
            thread_id=UUID(run.thread_id),
            run_id=UUID(run.run_id),
            error=error,
        )
        status = 504 if result.run.status == "timeout" else 500
        return JsonResponse(content, status, headers=headers)
    return JsonResponse(to_reply(agent, result), headers=headers)


def to_reply(agent: Agent, result: Result) -> Reply:
    """A run's result in the form of this protocol."""
    run = result.run
    values = result.values if isinstance(result.values, dict) else {}
    rest = {key: values[key] for key in values if key not in ("messages", INTERRUPT)}
    asked = result.interrupts[0] if result.interrupts else None
    return Reply(
        thread_id=UUID(run.thread_id),
        run_id=UUID(run.run_id),
        status=run.status,
        output=agent.reply(values) or None,
        values=orjson.loads(dumps(rest)),
        interrupt=asked and Interrupt(id=asked.id, value=orjson.loads(dumps(asked.value))),
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
                if text := token_text(event.data):
                    yield encode("token", orjson.dumps({"text": text}), event.id)
            elif event.name == "updates":
                for node in orjson.loads(event.data):
                    if node != INTERRUPT:
                        yield encode("step", orjson.dumps({"node": node}), event.id)
            elif name == "error":
                yield encode(name, event.data)
            elif name == "end":
                yield encode(name, dumps(to_reply(agent, await result_of(runner, run))))
