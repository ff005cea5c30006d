"""Turns the chunks that a graph streams into events of LangGraph's server protocol."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import orjson
from langchain_core.messages import (
    AIMessageChunk,
    BaseMessage,
    BaseMessageChunk,
    message_chunk_to_message,
)
from langgraph.types import Interrupt

from apps.langgraph.src.core.runs.encoding import dumps

StreamMode = Literal[
    "values", "updates", "messages", "messages-tuple", "custom", "tasks", "checkpoints", "debug"
]
"""The protocol's stream modes that this service offers."""

# Modes that a graph always streams, because they contain the result of a run.
INTERNAL = ("values", "updates")
INTERRUPT = "__interrupt__"


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
        return sorted(modes | set(INTERNAL))

    def events(self, chunk: Any) -> Iterator[tuple[str, bytes]]:
        """Names and JSON of the events of a chunk."""
        namespace, mode, data = chunk if self._subgraphs else ((), *chunk)
        if not namespace:
            self._note(mode, data)
        if mode == "messages":
            yield from self._message_events(namespace, *data)
        elif mode in self._wanted:
            yield "|".join((mode, *namespace)), dumps(data)

    def _note(self, mode: str, data: Any) -> None:
        if mode == "values":
            self.values = data
        elif mode == "updates" and isinstance(data, dict) and INTERRUPT in data:
            self.interrupted = True
            self.interrupts.extend(data[INTERRUPT])

    def _message_events(
        self, namespace: Iterable[str], message: BaseMessage, metadata: dict[str, Any]
    ) -> Iterator[tuple[str, bytes]]:
        if "messages-tuple" in self._wanted:
            yield "|".join(("messages", *namespace)), dumps((message, metadata))
        if "messages" not in self._wanted:
            return
        key = message.id or ""
        if key not in self._messages:
            yield "messages/metadata", dumps({key: {"metadata": metadata}})
        if not isinstance(message, BaseMessageChunk):
            self._messages[key] = message
            yield "messages/complete", dumps([message])
            return
        known = self._messages.get(key)
        whole = known + message if isinstance(known, AIMessageChunk) else message
        self._messages[key] = whole
        yield "messages/partial", dumps([message_chunk_to_message(whole)])


def token_text(data: bytes) -> str:
    """The text of a `messages` event if it is a token of a language model, or else empty."""
    message, _ = orjson.loads(data)
    if message["type"] != "AIMessageChunk":
        return ""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content if isinstance(block, dict))
