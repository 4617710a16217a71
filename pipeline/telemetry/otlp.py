"""Traces over OTLP/HTTP. OpenTelemetry's SDK is known here alone, and only imported where traces are switched on.

Its own variables hold: OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE, OTEL_BSP_… and others.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from math import inf

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.json.http import trace_exporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, StatusCode, get_current_span, use_span
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pipeline.telemetry.traces import TRACEPARENT, Attribute, Kind, Span

log = logging.getLogger(__name__)

MOST_CAUSES = 64
"""A batch of a worker is made of so many batches of bridges at most; what more there are is not named."""
_ANSWER_S = 2.0
_PATH = "/v1/traces"
_W3C = TraceContextTextMapPropagator()


class OtlpTraces:
    """Traces to a collector. One that is away delays nothing: spans wait in bounded memory, the oldest go."""

    is_on = True

    def __init__(self, endpoint: str, process: str) -> None:
        name, ours = f"transferscope-{process}", version("transferscope")
        resource = {SERVICE_NAME: name, SERVICE_NAMESPACE: "transferscope", SERVICE_VERSION: ours}
        self.provider = provider = TracerProvider(resource=Resource.create(resource), shutdown_on_exit=False)
        self._exporter = _Outspoken(endpoint.rstrip("/") + _PATH)
        self._sending = BatchSpanProcessor(self._exporter)
        provider.add_span_processor(self._sending)
        self._tracer = provider.get_tracer("transferscope", ours)
        atexit.register(self._close)

    def begin(self, name: str, kind: Kind, causes: Iterable[str] = ()) -> Span:
        contexts = [_read(each) for _, each in zip(range(MOST_CAUSES), causes, strict=False)]
        links = [Link(each.get_span_context()) for each in contexts if each.get_span_context().is_valid]
        return _Span(self._tracer.start_span(name, Context(), SpanKind[kind.upper()], links=links))

    def took(self, stage: str, seconds: float) -> None:
        if get_current_span().is_recording():
            ended = time.time_ns()
            self._tracer.start_span(stage, start_time=ended - int(seconds * 1e9)).end(ended)

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        get_current_span().set_attributes(attributes)

    def _close(self) -> None:
        """Sends what waits; the SDK alone would take half a minute for it when the collector does not answer."""
        self._exporter.hurry()
        self._sending.shutdown()  # type: ignore[no-untyped-call]


class _Span:
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        with self.active():
            _W3C.inject(carrier)
        return carrier[TRACEPARENT]

    def active(self) -> AbstractContextManager[object]:
        return use_span(self._span, record_exception=False, set_status_on_exception=False)

    def end(self, attributes: Mapping[str, Attribute], trouble: str = "") -> None:
        self._span.set_attributes(attributes)
        if trouble:
            self._span.set_status(StatusCode.ERROR, trouble)
        self._span.end()


class _Outspoken(SpanExporter):
    """Says once that the collector takes nothing, with its reason, and once that it does again.

    The exporter itself has a line or more for every attempt, which would fill a night's log.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._exporter = trace_exporter.OTLPSpanExporter(endpoint=address, timeout=_ANSWER_S)
        self._is_well = True
        self._ends_at = inf

    def hurry(self) -> None:
        """Begin nothing after ``_ANSWER_S``."""
        self._ends_at = time.monotonic() + _ANSWER_S

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if time.monotonic() > self._ends_at:
            return SpanExportResult.FAILURE
        _words.first = ""
        result = self._exporter.export(spans)
        is_well = result is SpanExportResult.SUCCESS
        if self._is_well and not is_well:
            log.warning("%s takes no traces, they are dropped until it does: %s", self._address, _words.first)
        elif is_well and not self._is_well:
            log.info("%s takes traces again", self._address)
        self._is_well = is_well
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Words(logging.Filter):
    """Keeps what would be said first of an attempt: the reason. What follows only says that it was given up."""

    first = ""

    def filter(self, record: logging.LogRecord) -> bool:
        self.first = self.first or record.getMessage()
        return False


_words = _Words()
logging.getLogger(trace_exporter.__name__).addFilter(_words)


def _read(traceparent: str) -> OtelSpan:
    return get_current_span(_W3C.extract({TRACEPARENT: traceparent}))
