"""OpenTelemetry traces, only where the environment names an OTLP endpoint.

The packages are the extra `tracing`; nothing of them is imported, and nothing is sent, unless
OTEL_EXPORTER_OTLP_ENDPOINT is set. The other variables of OpenTelemetry's specification apply too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from shared.settings import SettingsError

# mypy: disable-error-code="import-not-found"

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def configure_tracing(app: FastAPI) -> None:
    """Trace the requests of `app`. Raises `SettingsError` when the packages are missing."""
    if not os.environ.get(ENDPOINT):
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            f"{ENDPOINT} is set, but {error.name} is missing: install the extra `tracing` of "
            "platform-langgraph."
        ) from None
    name = os.environ.get("OTEL_SERVICE_NAME", "agents")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    FastAPIInstrumentor.instrument_app(app, excluded_urls="ok,info,health,ready,metrics")


@contextmanager
def run_span(agent: str, run_id: str, attempt: int) -> Iterator[None]:
    """A span around one attempt of a run, where traces are on."""
    if not os.environ.get(ENDPOINT):
        yield
        return
    from opentelemetry import trace

    attributes: dict[str, str | int] = {"agent": agent, "run_id": run_id, "attempt": attempt}
    with trace.get_tracer(__name__).start_as_current_span(f"run {agent}", attributes=attributes):
        yield
