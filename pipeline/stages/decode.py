"""A batch of raw messages -> events and dead letters. Every message ends in exactly one of the lists.

A packet of several xrootd records is all of them or a dead letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from schemas import topics, xrootd
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import Complete, QueueReport, Start, StateChange
from schemas.fts import parse_complete, parse_start
from schemas.fts_state import parse_state
from schemas.queue import parse_optimizer, parse_queue_status
from schemas.rules import Horizon

_KEPT_OF_TOO_LARGE = 1024 * 1024
TOO_LARGE_HEADER = "dead-reason"
"""Set by the bridge on the stand-in of a body that Kafka would not take."""


class Dead(NamedTuple):
    """A message that cannot be used: why, and the message itself (its first MiB when it is too large)."""

    message: RawMessage
    reason: str
    detail: str


class Decoded(NamedTuple):
    """A decoded batch, each list in the order of arrival."""

    starts: list[Start]
    completes: list[Complete]
    states: list[StateChange]
    dead: list[Dead]
    reports: list[QueueReport]


def decode(messages: Iterable[RawMessage], horizon: Horizon) -> Decoded:
    """Parse each message by its kind. Never raises for a message: what cannot be used is in ``dead``."""
    starts: list[Start] = []
    completes: list[Complete] = []
    states: list[StateChange] = []
    dead: list[Dead] = []
    reports: list[QueueReport] = []
    for message in messages:
        try:
            if len(message.body) > topics.MAX_BODY_BYTES or TOO_LARGE_HEADER in message.headers:
                dead.append(_too_large(message))
            elif message.kind == topics.FTS_COMPLETE:
                completes.append(parse_complete(message, horizon))
            elif message.kind == topics.FTS_START:
                starts.append(parse_start(message, horizon))
            elif message.kind == topics.FTS_STATE:
                states.append(parse_state(message, horizon))
            elif message.kind == topics.FTS_OPTIMIZER:
                reports.append(parse_optimizer(message, horizon))
            elif message.kind == topics.FTS_QUEUE_STATUS:
                reports.append(parse_queue_status(message, horizon))
            elif message.kind in xrootd.PARSERS:
                completes += xrootd.PARSERS[message.kind](message, horizon)
            else:
                raise Malformed("unknown_kind", f"no parser for kind {message.kind!r:.80}")
        except Malformed as problem:
            dead.append(Dead(message, problem.reason, problem.detail))
    return Decoded(starts, completes, states, dead, reports)


def _too_large(message: RawMessage) -> Dead:
    size = message.headers.get("size") or str(len(message.body))
    digest = message.headers.get("sha256") or hashlib.sha256(message.body).hexdigest()
    kept = message._replace(body=message.body[:_KEPT_OF_TOO_LARGE])
    return Dead(kept, "too_large", f"{size} bytes, SHA-256 {digest}; the first {len(kept.body)} bytes are kept")
