"""Logs: one line for each event, found by request, without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from asgi_correlation_id import correlation_id

from shared.logging import configure_logging, redact
from shared.terminal import CONTROLS


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Puts logging back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_production_logs_are_json_with_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True)
    token = correlation_id.set("abc")
    try:
        structlog.get_logger("test").info("hello", user="Ada")
        logging.getLogger("library").warning("of a library")
    finally:
        correlation_id.reset(token)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["request_id"]) for line in lines] == [
        ("hello", "abc"),
        ("of a library", "abc"),
    ]


def test_the_level_holds_for_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("error", json=True)
    logging.getLogger("library").warning("not wanted")

    assert capsys.readouterr().out == ""


def test_an_exception_is_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("test").exception("failed")

    [line] = capsys.readouterr().out.splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    "event",
    [
        {"password": "hunter2"},
        {"service_token": "hunter2"},
        {"Authorization": "hunter2"},
        {"database_url": "postgresql://user:hunter2@host/name"},
        {"event": "connecting to postgresql://user:hunter2@host/name"},
        {"event": "connecting to redis://:hunter2@host"},
        {"event": "cloning https://hunter2@host/name.git"},
        {"event": "sent Authorization: Bearer hunter2"},
        {"event": "key sk-hunter2hunter2 refused"},
        {"event": '"GET /v1/models?page=1&token=hunter2 HTTP/1.1" 200'},
        {"event": "failed: token='hunter2'"},
        {"event": '{"api_key": "hunter2", "page": 1}'},
        {"event": """{'Authorization': 'Basic hunter2'}"""},
        {"event": r'said "{\"token\": \"hunter2\"}"'},
        {"headers": {"cookie": "session=hunter2"}},
        {"arguments": ["--password", {"api_key": "hunter2"}]},
    ],
)
def test_secrets_are_redacted(event: dict[str, object]) -> None:
    assert "hunter2" not in str(redact(None, "info", event))


def test_what_is_no_secret_stays() -> None:
    text = "12 tokens in http://127.0.0.1:6200/threads, unexpected token: '}'"
    event = {"event": text, "tokens": 12}

    assert redact(None, "info", dict(event)) == event


class Forged:
    """An object whose representation is another's text."""

    def __repr__(self) -> str:
        return "\x1b[2J"


@pytest.mark.parametrize(
    "text", ["\x1b]0;title\x07", "\x9b2J", "\r\n09:00:00 [info] login", "\u202e"]
)
def test_no_text_changes_the_terminal_or_forges_a_line(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    configure_logging("info", json=False)
    log = structlog.get_logger("test")
    log.info(text, email=text, items=[{text: text}], thing=Forged(), things=[Forged()])
    logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")

    first, second, third, *traceback = capsys.readouterr().out.splitlines()
    assert not any(map(CONTROLS.search, (first, second, third, *traceback)))
    assert ascii(text)[1:-1] in first
    assert "x1b[2J" in first
    assert third.endswith("failed [test]")
    assert all(line.startswith("  ") for line in traceback)


def test_a_text_that_utf_8_cannot_encode_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=False)
    structlog.get_logger("test").info("\ud800", path="/\ud800")

    assert "\\ud800 [test] path='/\\ud800'" in capsys.readouterr().out


@pytest.mark.parametrize(("path", "lines"), [("/ready", 0), ("/ok?probe=1", 0), ("/threads", 1)])
def test_health_checks_leave_no_line_in_the_access_log(
    capsys: pytest.CaptureFixture[str], path: str, lines: int
) -> None:
    configure_logging("info", json=False)
    access = logging.getLogger("uvicorn.access")
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", path, "1.1", 200)

    assert len(capsys.readouterr().out.splitlines()) == lines
