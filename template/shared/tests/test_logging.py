"""Logs: one line for each event, found by request, without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from asgi_correlation_id import correlation_id

from shared.logging import configure_logging, redact


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
        {"headers": {"cookie": "session=hunter2"}},
        {"arguments": ["--password", {"api_key": "hunter2"}]},
    ],
)
def test_secrets_are_redacted(event: dict[str, object]) -> None:
    assert "hunter2" not in str(redact(None, "info", event))


def test_what_is_no_secret_stays() -> None:
    event = {"event": "12 tokens in http://127.0.0.1:6200/threads", "tokens": 12}

    assert redact(None, "info", dict(event)) == event
