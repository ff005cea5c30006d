"""OpenTelemetry traces, sent to the collector in the setting OTEL_EXPORTER_OTLP_ENDPOINT.

Without it no exporter is imported and nothing is sent. The other variables of the specification are
read from the environment: https://opentelemetry.io/docs/specs/otel/protocol/exporter
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from shared.settings import get_settings


def configure_tracing(app: FastAPI) -> None:
    """Trace the requests of `app` and the runs of its agents."""
    endpoint = get_settings().otel_exporter_otlp_endpoint
    if not endpoint:
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "langgraph")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    FastAPIInstrumentor.instrument_app(app, excluded_urls="ok,info,health,ready,metrics")


def flush_traces() -> None:
    """Send the remaining spans before the process ends."""
    if not get_settings().otel_exporter_otlp_endpoint:
        return
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()


@contextmanager
def run_span(agent: str, run_id: str, attempt: int) -> Iterator[None]:
    """A span around an attempt of a run, if traces are configured."""
    if not get_settings().otel_exporter_otlp_endpoint:
        yield
        return
    from opentelemetry import trace

    attributes: dict[str, str | int] = {"agent": agent, "run_id": run_id, "attempt": attempt}
    with trace.get_tracer(__name__).start_as_current_span(f"run {agent}", attributes=attributes):
        yield
