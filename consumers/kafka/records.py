"""Kafka records -> raw messages, at a few microseconds each: what is seldom needed is not made.

The bridge writes the body untouched as the value and these headers: ``kind``, ``origin`` (the broker it came from),
``destination`` (the broker topic), ``received-at`` (ms) and every STOMP header as ``stomp.NAME``; on the stand-in of a
body that Kafka would not take also ``dead-reason``, ``size`` and ``sha256`` of the whole; with traces ``traceparent``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from consumers.kafka.places import batch_id, place_of
from pipeline.telemetry.traces import TRACEPARENT
from schemas.envelope import RawMessage
from schemas.times import MAX_MS
from schemas.topics import KNOWN_TOPICS, broker_topic

STOMP = "stomp."
BRIDGE_HEADERS = frozenset(
    {"kind", "origin", "destination", "received-at", "dead-reason", "size", "sha256", TRACEPARENT}
)
"""Names that only the bridge uses: a STOMP header of such a name keeps its prefix, so nobody outside can say them."""


class Headers(Mapping[str, str]):
    """A record's headers by the names that the broker gave them; read as text when somebody asks, which few do."""

    __slots__ = ("_raw", "_text")

    def __init__(self, raw: Mapping[str, bytes | None]) -> None:
        self._raw = raw
        self._text: dict[str, str] | None = None

    def __contains__(self, name: object) -> bool:
        # Asked for every message: whether the bridge's mark of a too large body is there.
        return name in self._raw if name in BRIDGE_HEADERS else name in self._as_text()

    def __getitem__(self, name: str) -> str:
        return self._as_text()[name]

    @property
    def origin(self) -> bytes:
        """The broker that a record came from, as the bridge says; empty when somebody else wrote it."""
        return self._raw.get("origin") or b""

    @property
    def traceparent(self) -> str:
        """The span of the bridge's batch, as the bridge says; empty where it says none."""
        return (self._raw.get(TRACEPARENT) or b"").decode(errors="replace")

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_text())

    def __len__(self) -> int:
        return len(self._as_text())

    def _as_text(self) -> dict[str, str]:
        if self._text is None:
            self._text = {_shown(name): (value or b"").decode(errors="replace") for name, value in self._raw.items()}
        return self._text


def _shown(name: str) -> str:
    short = name.removeprefix(STOMP)
    return name if short in BRIDGE_HEADERS else short


def raw_message(
    topic: str,
    partition: int,
    offset: int,
    written_ms: int,
    body: bytes,
    raw_headers: Iterable[tuple[str, bytes | None]],
) -> RawMessage:
    """A record of Kafka, written at the time given, as a message.

    A record without ``kind`` (somebody else wrote it) gets the kind of its broker topic, ``""`` where that is not
    known either. Receipt time: the broker's ``timestamp`` header, else the bridge's clock, else Kafka's.
    """
    headers = dict(raw_headers)
    source, kind = _source(headers.get("destination") or topic.encode())
    said = headers.get("kind")
    if said:
        kind = said.decode(errors="replace")
    received = headers.get("stomp.timestamp")
    if received is None or (received_ms := _ms(received)) is None:
        received_ms = _ms(headers.get("received-at") or b"") or (written_ms if written_ms > 0 else None)
    ref = f"{topic}-{partition}-{offset}"
    message_id = headers.get("stomp.message-id")
    identity = f"{source} {message_id.decode(errors='replace')}" if message_id else ref
    return RawMessage(kind, source, body, Headers(headers), received_ms, ref, identity)


def origin_of(message: RawMessage) -> bytes:
    """The broker that a message of Kafka came from; empty when that is not told."""
    headers = message.headers
    return headers.origin if isinstance(headers, Headers) else b""


def batch_of(messages: Iterable[RawMessage]) -> str:
    """The ``batch_id`` of messages of Kafka."""
    return batch_id(place_of(message.ref) for message in messages)


def causes_of(messages: Iterable[RawMessage]) -> Iterable[str]:
    """The spans of the bridges' batches that messages of Kafka came in, each once."""
    found = (message.headers for message in messages)
    return dict.fromkeys(headers.traceparent for headers in found if isinstance(headers, Headers))


@lru_cache(maxsize=256)
def _source(destination: bytes) -> tuple[str, str]:
    """The broker topic and the kind that its messages have by default."""
    source = broker_topic(destination.decode(errors="replace"))
    return source, KNOWN_TOPICS.get(source, "")


def _ms(text: bytes) -> int | None:
    """A time in ms as decimal text; None for anything else, 0 and times that no database knows."""
    if not text.isdigit() or len(text) > 15:
        return None
    ms = int(text)
    return ms if 0 < ms <= MAX_MS else None
