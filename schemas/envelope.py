"""A message as it travels from broker to store: the body untouched, with where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class RawMessage(NamedTuple):
    """One received message, not yet looked into.

    ``kind`` is the configured meaning of its topic (``schemas.topics.KINDS``), ``topic`` the broker topic it was
    published to, ``headers`` every broker header by its own name. ``received_ms`` is the receipt time of
    semantics.md in ms since the epoch: the broker's ``timestamp`` header, else the bridge's clock; ``None`` only in
    replayed files that do not say. ``ref`` tells where the body can be read again (``topic-partition-offset`` in
    Kafka, ``file:line`` in a replay). ``identity`` is what makes a dead letter the same dead letter when it comes
    again: broker topic and message-id, or file hash and line.
    """

    kind: str
    topic: str
    body: bytes
    headers: Mapping[str, str]
    received_ms: int | None
    ref: str
    identity: str
