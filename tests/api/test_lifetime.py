"""A reply is not lost when browser, API or agents service go away in the middle of it."""

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.api.services import Conversation, Services, Stream
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

# The part of a reply that the agent sends for the prompt `begin`.
BEGUN = "Reply: it has begun"


@pytest.fixture
def signal_file(tmp_path: Path) -> Path:
    """A file; the agent waits for it, then replies with its content."""
    return tmp_path / "signal"


def test_the_reply_is_stored_although_the_browser_has_gone(
    conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}"):
        assert conversation.state["run_status"] == "running"
    signal_file.write_text("late")

    assert conversation.wait_until_done() == "success"
    assert conversation.messages[1:] == ["Reply: late"]


def test_a_second_reader_gets_all_and_one_that_returns_gets_the_rest(
    conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}") as first, conversation.attach() as second:
        signal_file.write_text("for both")
        events = list(first)
        assert list(second) == events
    number = len(events) - 2

    with conversation.attach(first.last_id.replace(f"-{len(events)}", f"-{number}")) as third:
        assert list(third) == events[number:]


def test_a_reader_that_lost_the_connection_goes_on_where_it_was(
    conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}") as stream:
        signal_file.write_text("one two three four")
        events = iter(stream)
        before = [next(events) for _ in range(3)]
    with conversation.attach(stream.last_id) as rest:
        after = [event for event in rest if event["type"] == "token"]

    assert conversation.wait_until_done() == "success"
    tokens = [event["text"] for event in [*before, *after]]
    # Of a reply that had ended by then, only the closing events are streamed.
    assert "".join(tokens) in ("Reply: one two three four", "".join(tokens[:3]))


def test_one_reply_at_a_time(conversation: Conversation, signal_file: Path) -> None:
    with conversation.ask(f"wait {signal_file}"):
        url = f"{conversation.url}/messages"
        response = conversation.client.post(url, json={"prompt": "say more"})
        assert response.status_code == 409
    signal_file.write_text("x")

    assert conversation.wait_until_done() == "success"
    assert len(conversation.messages) == 2


def test_cancelling_stops_the_run(conversation: Conversation, signal_file: Path) -> None:
    with conversation.ask(f"wait {signal_file}") as stream:
        conversation.client.post(f"{conversation.url}/cancel").raise_for_status()
        assert list(stream)[-1] == {"type": "done", "status": "interrupted", "cancelled": True}

    assert conversation.state["cancelled"]
    with conversation.ask("say again") as stream:
        assert list(stream)[-1]["status"] == "success"


def read_begun(stream: Stream) -> None:
    """Return when the part that the agent sends before it waits has arrived."""
    text = ""
    for event in stream:
        text += event["text"]
        if text == BEGUN:
            return
    raise AssertionError(text)


def test_the_part_of_a_stopped_reply_is_kept_after_a_kill(
    services: Services, conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"begin {signal_file}") as stream:
        read_begun(stream)
        services.kill("api")
    services.start_api()
    conversation.client.post(f"{conversation.url}/cancel").raise_for_status()

    assert conversation.wait_until_done() == "interrupted"
    assert conversation.state["cancelled"]
    assert conversation.incomplete == [None, "interrupted"]
    assert conversation.messages[1:] == [BEGUN]


@pytest.mark.parametrize("killed", ["api", "agents"])
def test_the_part_of_a_failed_reply_is_kept_after_a_kill(
    services: Services, conversation: Conversation, signal_file: Path, killed: str
) -> None:
    with conversation.ask(f"begin {signal_file}") as stream:
        read_begun(stream)
        services.kill(killed)
    signal_file.touch()
    services.start_api() if killed == "api" else services.start_agents()

    assert conversation.wait_until_done() == "error"
    assert conversation.incomplete == [None, "error"]
    assert conversation.messages[1:] == [BEGUN]


def test_deleting_stops_the_run_and_ends_the_stream(
    conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}") as stream:
        assert conversation.client.delete(conversation.url).status_code == 204
        assert list(stream)[-1] == {"type": "done", "status": "interrupted", "cancelled": True}

    assert conversation.client.get(conversation.url).status_code == 404


@pytest.mark.parametrize("replied_while_down", [True, False])
def test_a_killed_api_picks_the_reply_up(
    services: Services, conversation: Conversation, signal_file: Path, replied_while_down: bool
) -> None:
    with conversation.ask(f"wait {signal_file}"):
        wait_until(lambda: services.submitted(conversation))
        services.kill("api")
    if replied_while_down:
        signal_file.write_text("back")
    services.start_api()
    signal_file.write_text("back")

    assert conversation.wait_until_done() == "success"
    assert conversation.messages[1:] == ["Reply: back"]


def test_a_killed_agents_service_goes_on_with_the_reply(
    services: Services, conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}") as stream:
        wait_until(lambda: services.submitted(conversation))
        services.kill("agents")
        signal_file.write_text("recovered")
        services.start_agents()
        assert list(stream)[-1] == {"type": "done", "status": "success", "cancelled": False}

    assert conversation.messages[1:] == ["Reply: recovered"]


def test_a_prompt_that_is_sent_while_the_agents_service_is_replaced_is_answered(
    services: Services, conversation: Conversation
) -> None:
    services.kill("agents")
    with conversation.ask("say here again") as stream:
        events = iter(stream)
        assert "not reachable yet" in next(events)["detail"]
        services.start_agents()
        assert list(events)[-1] == {"type": "done", "status": "success", "cancelled": False}

    assert conversation.messages[1:] == ["Reply: here again"]


def test_another_process_gives_the_stream_of_a_killed_one(
    services: Services, conversation: Conversation, signal_file: Path
) -> None:
    [port] = free_ports(1)
    services.start_api("api-2", port)
    with conversation.ask(f"wait {signal_file}"), services.browser(port) as other:
        wait_until(lambda: services.submitted(conversation))
        with Conversation(other, conversation.url).attach() as stream:
            services.kill("api")
            signal_file.write_text("taken over")
            assert list(stream)[-1] == {"type": "done", "status": "success", "cancelled": False}
    services.kill("api-2")
    services.start_api()

    assert conversation.messages[1:] == ["Reply: taken over"]


def test_no_prompt_is_lost_or_run_twice_by_kills_at_random_moments(
    services: Services, browser: httpx2.Client, tmp_path: Path
) -> None:
    asked: list[tuple[Conversation, Path]] = []
    chance = random.Random(7)
    for number in range(8):
        conversation, log = Conversation(browser), tmp_path / str(number)
        asked.append((conversation, log))
        url = f"{conversation.url}/messages"
        with browser.stream("POST", url, json={"prompt": f"log {log}"}):
            time.sleep(chance.uniform(0, 0.15))
            services.kill("api")
        services.start_api()

    for conversation, log in asked:
        assert conversation.wait_until_done() == "success"
        assert conversation.messages == [f"log {log}", "Reply: logged"]
        assert log.read_text() == "1\n"


def test_many_readers_hold_no_connection_to_the_database(
    conversation: Conversation, signal_file: Path
) -> None:
    with ExitStack() as readers:
        readers.enter_context(conversation.ask(f"wait {signal_file}"))
        # More readers than the pool has connections.
        for _ in range(20):
            readers.enter_context(conversation.attach())
        assert conversation.state["run_status"] == "running"
        signal_file.write_text("for all")
        assert conversation.wait_until_done() == "success"


def test_stopping_does_not_wait_for_readers(
    services: Services, conversation: Conversation, signal_file: Path
) -> None:
    with conversation.ask(f"wait {signal_file}"):
        services.kill("api", signal.SIGTERM)
    services.start_api()
    signal_file.write_text("after the stop")

    assert conversation.wait_until_done() == "success"
