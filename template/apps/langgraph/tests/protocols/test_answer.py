"""The text that OpenAI's clients get of a run's messages."""

import orjson

from apps.langgraph.src.core.protocols.openai.answer import Answer
from apps.langgraph.src.core.runs.event_log import Event

ANSWERING = {"model"}


def token(message: str, text: str, node: str = "model", *, last: bool = False) -> Event:
    chunk = {
        "type": "AIMessageChunk",
        "id": message,
        "content": [{"type": "text", "text": text}, {"type": "thinking", "thinking": "Hm"}],
        "chunk_position": "last" if last else None,
    }
    return Event(1, "messages", orjson.dumps([chunk, {"langgraph_node": node}]))


def test_messages_are_paragraphs() -> None:
    answer = Answer(ANSWERING)
    events = [token("1", "Let me "), token("1", "look.", last=True), token("2", "Sunny.")]
    assert [answer.next(event) for event in events] == ["Let me ", "look.", "\n\nSunny."]
    assert answer.rest("Sunny.") == ""
    assert answer.rest("Composed.") == "\n\nComposed."


def test_a_message_during_another_comes_at_the_end_if_it_is_the_reply() -> None:
    answer = Answer(ANSWERING)
    events = [token("1", "a"), token("2", "x"), token("1", "b", last=True), token("2", "y")]
    assert [answer.next(event) for event in events] == ["a", "", "b", ""]
    assert answer.rest("ab") == ""
    assert answer.rest("xy") == "\n\nxy"


def test_only_nodes_after_which_the_run_may_end_are_streamed() -> None:
    answer = Answer(ANSWERING)
    assert answer.next(token("1", "a plan", "planner")) == ""
    assert answer.rest("done") == "done"


def test_a_lost_attempt_leaves_room_for_the_next() -> None:
    answer = Answer(ANSWERING)
    events = [token("1", "Sun"), Event(2, "metadata", b"{}"), token("2", "Sunny.")]
    assert [answer.next(event) for event in events] == ["Sun", "", "\n\nSunny."]
    assert answer.rest("Sunny.") == ""
