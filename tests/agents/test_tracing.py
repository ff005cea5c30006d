"""Traces are sent to the collector in the settings, and nowhere else."""

import gzip
import subprocess
from pathlib import Path

import httpx2

from tests.agents.receiver import receiving
from tests.agents.service import PYTHON, TEMPLATE, Service, running


def test_spans_of_a_run_arrive_before_the_service_has_stopped(tmp_path: Path) -> None:
    with receiving() as (address, received):
        with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address) as service:
            response = httpx2.post(f"{service.url}/echo/generate", json={"prompt": "x"}, timeout=30)
        exports = []
        while not received.empty():
            exports.append(received.get())
    spans = {span.name: span for export in exports for span in read_spans(export)}
    run, request = spans["run echo"], spans["POST /{agent}/generate"]
    attributes = {item.key: item.value.string_value for item in run.attributes}
    assert attributes["run_id"] == response.json()["run_id"]
    assert run.trace_id == request.trace_id


def read_spans(export):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    assert export.path == "/v1/traces"
    compressed = export.headers.get("Content-Encoding") == "gzip"
    body = gzip.decompress(export.body) if compressed else export.body
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def test_without_the_setting_nothing_that_could_send_is_loaded(service: Service) -> None:
    code = "import sys, application; print(*sys.modules)"
    done = subprocess.run(
        [PYTHON, "-c", code], cwd=TEMPLATE, env=service.env, capture_output=True, text=True
    )
    assert "apps.langgraph.src.core.app" in done.stdout, done.stderr
    assert "opentelemetry.exporter" not in done.stdout
