"""What a process tells of its batches and requests to whoever follows one of them; nobody does unless it is set.

A batch or request is a ``Span``, the stages within it are parts of it. Made a few times a batch, never once a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

Kind = Literal["producer", "consumer", "internal"]
Attribute = str | int | float | bool

TRACEPARENT = "traceparent"
"""The header that names a span to the next process (W3C Trace Context)."""

# Names of attributes: OpenTelemetry's where its conventions have one.
BATCH = "transferscope.batch"
"""The id that the logs of bridge and worker have, too: topics, partitions and offsets."""
BATCH_MESSAGES = "messaging.batch.message_count"
BROKER = "transferscope.broker"
REQUEST = "transferscope.request"
"""As in ``X-Request-ID`` and the log of web."""


class Span(Protocol):
    """A batch or a request, from ``Traces.begin`` until ``end``; for any thread."""

    @property
    def traceparent(self) -> str:
        """Its name for the next process."""

    def active(self) -> AbstractContextManager[object]:
        """What ``Traces.took`` is told inside, in this thread or asyncio task, is a part of this span."""

    def end(self, attributes: Mapping[str, Attribute], trouble: str = "") -> None:
        """It ends now. ``trouble``: why it failed."""


class Traces(Protocol):
    """For all threads of a process."""

    is_on: bool
    """Whether anybody is told: what costs more than a microsecond is left undone otherwise."""
    provider: Any
    """OpenTelemetry's TracerProvider, for a library that tells of its work itself; None: it has nobody to tell."""

    def begin(self, name: str, kind: Kind, causes: Iterable[str] = ()) -> Span:
        """A span begins now. ``causes``: the ``traceparent`` of those that led to it; what is none is left out."""

    def took(self, stage: str, seconds: float) -> None:
        """A part of the active span, if there is one, ends now and has taken so long."""

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Of the active span, if there is one."""


class _NoSpan:
    traceparent = ""

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def end(self, attributes: Mapping[str, Attribute], trouble: str = "") -> None:
        pass


class NoTraces:
    """Nobody is told."""

    is_on = False
    provider = None
    _SPAN = _NoSpan()

    def begin(self, name: str, kind: Kind, causes: Iterable[str] = ()) -> Span:
        return self._SPAN

    def took(self, stage: str, seconds: float) -> None:
        pass

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        pass


def traces_to(endpoint: str | None, process: str) -> Traces:
    """Those of a process, to the collector at ``endpoint`` (``http://host:4318``); None: nobody is told."""
    if endpoint is None:
        return NoTraces()
    from pipeline.telemetry.otlp import OtlpTraces  # a quarter of a second of imports, for those who want it

    return OtlpTraces(endpoint, process)
