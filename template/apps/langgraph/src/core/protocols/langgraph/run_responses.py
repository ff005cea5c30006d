"""Responses of the protocol's run routes."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from fastapi import Response

from apps.langgraph.src.core.protocols.responses import (
    HEARTBEAT_EVENT,
    AwaitedJson,
    EventStream,
    encode,
    location_headers,
    run_events,
)
from apps.langgraph.src.core.runs.encoding import LARGE
from apps.langgraph.src.core.runs.following import Result, result_of
from apps.langgraph.src.core.runs.runner import Runner
from apps.langgraph.src.core.runs.stream import INTERRUPT
from apps.langgraph.src.core.storage.records import Run

# Seconds to wait for a result before the head is sent: with it, a client can ask again.
PATIENCE = 1


def to_run(run: Run) -> dict[str, Any]:
    """A `schemas.Run`, as values for `dumps`."""
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "assistant_id": run.agent,
        "status": run.status,
        "cancelled": run.was_cancelled,
        "metadata": run.metadata,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "multitask_strategy": run.request.strategy,
        "error": run.error,
        "usage": run.usage,
    }


def joined(runner: Runner, run: Run, *, cancel_on_disconnect: bool = False) -> Response:
    """The thread's values once the run has ended, or `__error__`."""

    async def values() -> tuple[int, Any]:
        return 200, _values(await result_of(runner, run))

    def abandoned() -> None:
        if cancel_on_disconnect:
            runner.cancel_soon(run.run_id)

    headers = location_headers(run, "join")
    return AwaitedJson(values, headers, patience=PATIENCE, abandoned=abandoned)


def streamed(
    runner: Runner,
    run: Run,
    *,
    after: int = 0,
    only: Sequence[str] = (),
    cancel_on_disconnect: bool = False,
) -> Response:
    """The events of a run after the event `after`; `only` limits them to some stream modes."""
    names = {"messages" if mode == "messages-tuple" else mode for mode in only}
    names |= {"metadata", "error", "end"}

    async def body() -> AsyncGenerator[bytes]:
        async for batch in run_events(
            runner, run, after, cancel_on_disconnect=cancel_on_disconnect
        ):
            wanted = [
                event
                for event in batch
                if not only or event.name.split("|")[0].split("/")[0] in names
            ]
            piece = bytearray(b"" if wanted else HEARTBEAT_EVENT)
            for event in wanted:
                piece += encode(event.name, event.data, event.id)
                if len(piece) > LARGE:
                    # Sent alone, so that other responses get their turn.
                    yield bytes(piece)
                    piece.clear()
            if piece:
                yield bytes(piece)

    return EventStream(body(), location_headers(run, "stream"))


def _values(result: Result) -> Any:
    if result.run.error:
        return {"__error__": result.run.error}
    if result.interrupts and isinstance(result.values, dict):
        return {**result.values, INTERRUPT: result.interrupts}
    return result.values
