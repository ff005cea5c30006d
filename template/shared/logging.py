"""Structured logs with a correlation ID and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from asgi_correlation_id import correlation_id

from shared.terminal import CONTROLS, escape_text

# Paths that health checks and monitoring request every few seconds: access logs leave them out.
QUIET_PATHS = frozenset(("/health", "/metrics", "/ok", "/ready"))
# Keys whose values are redacted, at any depth.
SECRET_KEYS = re.compile(
    r"(pass(word|wd)?|secret|token|authorization|api[-_]?key|cookie|url)$", re.I
)
# Credentials in text: in URLs and their queries, bearer headers, keys of model providers, and under
# such names in JSON or in Python's form of it. The groups stay.
SECRET_TEXT = re.compile(
    r"(?<=://)[^/\s@]+(?=@)|(?<=bearer )\S+|\bsk-[\w-]{8,}"
    r"|((?:token|api[_-]?key|password|secret)=[\"']?)[^&\s\"']+"
    r"|((?:token|api[_-]?key|password|secret|authorization|cookie)\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]+",
    re.I,
)


def configure_logging(level: str, *, json: bool) -> None:
    """Send all logs, including those of libraries, to standard output.

    `json` is for production; without it, each event is one readable line.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _drop_colours,
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _add_correlation_id,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]
        if json
        else [
            escape_controls,
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), pad_event_to=0),
        ]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.access").addFilter(_is_worth_a_line)
    # `shared.outages` logs that the database is away; the pool would log each try to connect.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    # The result of a file change is logged; the change itself is noise.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secrets in a log event by `[redacted]`, at any depth (a structlog processor)."""
    for key, value in event.items():
        event[key] = redact_value(value, key)
    return event


def redact_text(text: str) -> str:
    """Replace credentials in a text by `[redacted]`."""
    return SECRET_TEXT.sub(r"\1\2[redacted]", text)


def redact_value(value: Any, name: str = "") -> Any:
    """Replace secrets in a value of this name by `[redacted]`, at any depth."""
    if SECRET_KEYS.search(name):
        return "[redacted]"
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    return value


def escape_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show control characters as `\\x1b` (a structlog processor); JSON escapes them anyway.

    Otherwise the text of a request could forge lines of the log or change the terminal.
    """
    for key, value in event.items():
        if key == "event":
            event[key] = escape_text(str(value).rstrip())
        elif key in ("exception", "stack"):
            event[key] = "\n".join(f"  {escape_text(line)}" for line in str(value).split("\n"))
        elif CONTROLS.search(value if isinstance(value, str) else repr(value)):
            event[key] = _Shown(escape_text(repr(value)))
    return event


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    # uvicorn's arguments: client, method, path with query, version, status.
    match record.args:
        case (_, _, str(path), *_):
            return path.partition("?")[0] not in QUIET_PATHS
    return True


def _drop_colours(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # uvicorn adds its message a second time, for its console.
    event.pop("color_message", None)
    return event


def _add_correlation_id(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if request_id := correlation_id.get():
        event["request_id"] = request_id
    return event


class _Shown:
    """A value whose representation is already made."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
