"""Structured logs with a correlation ID and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from asgi_correlation_id import correlation_id

# Keys whose values are redacted, at any depth.
SECRET_KEYS = re.compile(
    r"(pass(word|wd)?|secret|token|authorization|api[-_]?key|cookie|url)$", re.I
)
# Credentials in text: in URLs and their queries, bearer headers, and keys of model providers.
SECRET_TEXT = re.compile(
    r"(?<=://)[^/\s@]+(?=@)|(?<=bearer )\S+|\bsk-[\w-]{8,}"
    r"|(?:(?<=token=)|(?<=api[_-]key=))[^&\s\"]+",
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
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)
    # The result of a file change is logged; the change itself is noise.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secrets in a log event by `[redacted]`, at any depth (a structlog processor)."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: str, value: Any) -> Any:
    if SECRET_KEYS.search(key):
        return "[redacted]"
    if isinstance(value, str):
        return SECRET_TEXT.sub("[redacted]", value)
    if isinstance(value, dict):
        return {name: _redacted(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    return value


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
