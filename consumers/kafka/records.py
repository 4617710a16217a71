"""Kafka records -> raw messages, at a few microseconds each: what is seldom needed is not made.

The bridge writes the body untouched as the value and these headers: ``kind``, ``origin`` (the broker it came from),
``destination`` (the broker topic), ``received-at`` (ms) and every STOMP header as ``stomp.NAME``; on the stand-in of a
body that Kafka would not take also ``dead-reason``, ``size`` and ``sha256`` of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from schemas.envelope import RawMessage
from schemas.times import MAX_MS
from schemas.topics import BROKER_TOPICS, broker_topic

STOMP = "stomp."
BRIDGE_HEADERS = frozenset({"kind", "origin", "destination", "received-at", "dead-reason", "size", "sha256"})
"""Names that only the bridge uses: a STOMP header of such a name keeps its prefix, so nobody outside can say them."""


class Record(Protocol):
    """What is used of a client's record."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


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


def raw_messages(topic: str, partition: int, records: Iterable[Record]) -> list[RawMessage]:
    """The records of one partition as messages, in order.

    A record without ``kind`` (somebody else wrote it) gets the kind of its broker topic, ``""`` where that is not
    known either. Receipt time: the broker's ``timestamp`` header, else the bridge's clock, else Kafka's.
    """
    place = f"{topic}-{partition}-"
    messages: list[RawMessage] = []
    for record in records:
        headers = dict(record.headers)
        source, kind = _source(headers.get("destination") or topic.encode())
        said = headers.get("kind")
        if said:
            kind = said.decode(errors="replace")
        received = headers.get("stomp.timestamp")
        if received is None or (received_ms := _ms(received)) is None:
            received_ms = _ms(headers.get("received-at") or b"") or (record.timestamp if record.timestamp > 0 else None)
        ref = f"{place}{record.offset}"
        message_id = headers.get("stomp.message-id")
        identity = f"{source} {message_id.decode(errors='replace')}" if message_id else ref
        messages.append(RawMessage(kind, source, record.value or b"", Headers(headers), received_ms, ref, identity))
    return messages


@lru_cache(maxsize=256)
def _source(destination: bytes) -> tuple[str, str]:
    """The broker topic and the kind that its messages have by default."""
    source = broker_topic(destination.decode(errors="replace"))
    return source, BROKER_TOPICS.get(source, "")


def _ms(text: bytes) -> int | None:
    """A time in ms as decimal text; None for anything else, 0 and times that no database knows."""
    if not text.isdigit() or len(text) > 15:
        return None
    ms = int(text)
    return ms if 0 < ms <= MAX_MS else None
