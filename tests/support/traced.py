"""What a collector of traces was told, of a server that keeps what is posted (OTLP/HTTP as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.webhook import Webhook

OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The ``traceparent`` of somebody else, as the W3C's text has it."""


def spans(collector: Webhook, process: str = "") -> list[dict[str, Any]]:
    """All spans so far; only those of a process, if one is named."""
    return [
        span
        for _, document in collector.told
        for told in document["resourceSpans"]
        if attributes(told["resource"])["service.name"].endswith(process)
        for scope in told["scopeSpans"]
        for span in scope["spans"]
    ]


def attributes(of: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value; whole numbers come as text, as JSON has none of 64 bits."""
    return {each["key"]: _value(each["value"]) for each in of.get("attributes", ())}


def _value(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    return int(value) if kind == "intValue" else value
