"""Turns the chunks that a graph streams into events of LangGraph's server protocol."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import orjson
from langchain_core.messages import (
    AIMessageChunk,
    BaseMessage,
    BaseMessageChunk,
    message_chunk_to_message,
)
from langchain_core.runnables import RunnableConfig
from langgraph.types import Interrupt

from apps.langgraph.src.core.runs.event_log import Event

StreamMode = Literal[
    "values",
    "updates",
    "messages",
    "messages-tuple",
    "custom",
    "tasks",
    "checkpoints",
    "events",
    "debug",
]
"""The protocol's stream modes."""

# Modes that a graph always streams, because they contain the result of a run.
INTERNAL = ("values", "updates")
INTERRUPT = "__interrupt__"
EVENTS = "events"


class GraphStream:
    """Follows one execution of a graph.

    Attributes:
        values: the latest state of the graph, None before the first.
        interrupted: whether the graph was interrupted.
        interrupts: its interrupts; empty if it stopped before or after a named node.
    """

    def __init__(self, modes: Sequence[str], *, subgraphs: bool) -> None:
        self.values: Any = None
        self.interrupted = False
        self.interrupts: list[Interrupt] = []
        self._wanted = frozenset(modes)
        self._subgraphs = subgraphs
        self._messages: dict[str, BaseMessage] = {}

    @property
    def graph_modes(self) -> list[str]:
        """The modes to request from the graph."""
        modes = {"messages" if mode == "messages-tuple" else mode for mode in self._wanted}
        return sorted((modes | set(INTERNAL)) - {EVENTS})

    async def chunks(
        self, graph: Any, graph_input: Any, config: RunnableConfig, **options: Any
    ) -> AsyncIterator[Any]:
        """The chunks of `graph.astream`; LangChain's events are chunks of the mode `events`."""
        options |= {"stream_mode": self.graph_modes, "subgraphs": self._subgraphs}
        if EVENTS not in self._wanted:
            async for chunk in graph.astream(graph_input, config, **options):
                yield chunk
            return
        async for event in graph.astream_events(graph_input, config, version="v2", **options):
            if event["event"] == "on_chain_stream" and not event["parent_ids"]:
                yield event["data"]["chunk"]
            elif "langsmith:hidden" not in event.get("tags", ()):
                yield ((), EVENTS, event) if self._subgraphs else (EVENTS, event)

    def events(self, chunk: Any) -> Iterator[tuple[str, Any]]:
        """Names and values of the events of a chunk."""
        namespace, mode, data = chunk if self._subgraphs else ((), *chunk)
        if not namespace:
            self._note(mode, data)
        if mode == "messages":
            yield from self._message_events(namespace, *data)
        elif mode in self._wanted:
            yield "|".join((mode, *namespace)), data

    def _note(self, mode: str, data: Any) -> None:
        if mode == "values":
            self.values = data
        elif mode == "updates" and isinstance(data, dict) and INTERRUPT in data:
            self.interrupted = True
            self.interrupts.extend(data[INTERRUPT])

    def _message_events(
        self, namespace: Iterable[str], message: BaseMessage, metadata: dict[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        if "messages-tuple" in self._wanted:
            yield "|".join(("messages", *namespace)), (message, metadata)
        if "messages" not in self._wanted:
            return
        key = message.id or ""
        if key not in self._messages:
            yield "messages/metadata", {key: {"metadata": metadata}}
        if not isinstance(message, BaseMessageChunk):
            self._messages[key] = message
            yield "messages/complete", [message]
            return
        known = self._messages.get(key)
        whole = known + message if isinstance(known, AIMessageChunk) else message
        self._messages[key] = whole
        yield "messages/partial", [message_chunk_to_message(whole)]


class Token(NamedTuple):
    """A part of a message that a language model streams.

    Attributes:
        node: the node of the agent's graph that runs, also if the model is called in a subgraph.
        last: whether the message ends with it.
    """

    text: str
    message_id: str
    node: str
    last: bool


def read_token(event: Event) -> Token | None:
    """The token in an event, or None if it is not one of a language model."""
    mode, _, place = event.name.partition("|")
    if mode != "messages":
        return None
    message, metadata = orjson.loads(event.data)
    if message["type"] != "AIMessageChunk":
        return None
    content = message["content"]
    if not isinstance(content, str):
        content = "".join(block.get("text", "") for block in content if isinstance(block, dict))
    return Token(
        text=content,
        message_id=message["id"] or "",
        node=place.partition(":")[0] or metadata.get("langgraph_node", ""),
        last=message.get("chunk_position") == "last",
    )
