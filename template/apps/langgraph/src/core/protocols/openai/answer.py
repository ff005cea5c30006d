"""The part of a run's events that an answer of this protocol consists of."""

from collections.abc import Collection

from apps.langgraph.src.core.runs.event_log import Event
from apps.langgraph.src.core.runs.stream import read_token

PARAGRAPH = "\n\n"


class Answer:
    """Picks the text to stream: one message at a time, each a paragraph.

    Which message is the reply is known only at the end of the run. Until then, messages are
    streamed of `nodes`, after which the run may end. One that begins during another is left out; if
    it is the reply, `rest` has it.
    """

    def __init__(self, nodes: Collection[str]) -> None:
        self._nodes = nodes
        self._current = ""
        # By message, empty if it is left out.
        self._texts: dict[str, str] = {}

    def next(self, event: Event) -> str:
        """The text to send for an event, often empty."""
        if event.name == "metadata":
            # Another attempt: the rest of the message was lost with the last one.
            self._current = ""
        token = read_token(event)
        if token is None or token.node not in self._nodes:
            return ""
        text = token.text
        if text and token.message_id not in self._texts:
            if not self._current:
                self._current = token.message_id
                text = PARAGRAPH + text if any(self._texts.values()) else text
            self._texts[token.message_id] = ""
        if token.message_id != self._current:
            return ""
        self._texts[token.message_id] += token.text
        if token.last:
            self._current = ""
        return text

    def rest(self, reply: str) -> str:
        """The text to send at the end: the reply, unless it was sent."""
        sent = [text for text in self._texts.values() if text]
        if not reply or reply in sent:
            return ""
        return PARAGRAPH + reply if sent else reply
