"""What is stored of a batch's transfer keys, as far as it could matter to the batch.

Raw rows lie in daily partitions, so the search is bounded by time. A start at T can only belong to a complete that
ends after ``T - 60 s``; a complete with a start time S takes only starts from ``S - 60 s`` on (pipeline.stages.pair).
So a key is searched from the day of ``earliest - 120 s`` on, the second minute being the slack that keeps the starts
near the edge out of the decision. Completes that may reach back further are known by their key (``wide_key``) and
searched everywhere; completes that turn up in the search and reach back further widen it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.decide import Known, KnownComplete, KnownStart
from pipeline.stages.enrich import Enriched
from pipeline.store import file_states, queues
from pipeline.store.copying import moment
from schemas.events import Complete

DAY_MS = 86_400_000
_SLACK_MS = 120_000
_EDGE_MS = 60_000
_EVERYWHERE = -1

_STARTS = """
SELECT s.key_hash, (extract(epoch FROM s.event_at) * 1000)::bigint, s.dedupe, s.fts, s.transfer_id, s.agent,
    (extract(epoch FROM s.received_at) * 1000)::bigint, s.paired, s.ref
FROM unnest(%s::bigint[], %s::bigint[]) AS k(key_order, key_hash)
JOIN store.start AS s ON s.key_order = k.key_order AND s.key_hash = k.key_hash
"""
_COMPLETES = """
SELECT t.key_hash, (extract(epoch FROM t.ended_at) * 1000)::bigint, t.dedupe, t.fts, t.transfer_id, t.agent,
    (extract(epoch FROM t.received_at) * 1000)::bigint, t.state, t.bytes,
    (extract(epoch FROM t.started_at) * 1000)::bigint, t.never_pairs,
    (extract(epoch FROM t.start_at) * 1000)::bigint, t.start_dedupe, t.ref
FROM unnest(%s::bigint[], %s::bigint[]) AS k(key_order, key_hash)
JOIN store.transfer AS t ON t.key_order = k.key_order AND t.key_hash = k.key_hash
"""

Key = tuple[int, int]


def reaches_everywhere(complete: Complete) -> bool:
    """Whether a complete may pair with a start of any day before it: no start time, or one after its end."""
    if complete.never_pairs:
        return False
    return complete.started_ms is None or complete.started_ms > complete.event_ms


def load(cursor: Cursor, batch: Enriched) -> Known:
    """What is stored of the batch's keys, state messages and queue reports, as far as dedupe and pairing need it."""
    search = _first_days(batch)
    states = file_states.load(cursor, batch.states)
    reports = queues.claim(cursor, batch.reports)
    if not search:
        return Known([], [], states, reports)
    for key in _wide_keys(cursor, search):
        search[key] = _EVERYWHERE
    starts: list[KnownStart] = []
    completes: list[KnownComplete] = []
    orders = {key_hash: order for order, key_hash in search}
    while search:
        wider: dict[Key, int] = {}
        for day, keys in _by_day(search):
            found_starts, found_completes = _search(cursor, day, keys)
            for complete in found_completes:
                reach = _reach(complete)
                if reach < day:
                    key = (orders[complete.key_hash], complete.key_hash)
                    wider[key] = min(reach, wider.get(key, reach))
            again = {key_hash for _, key_hash in wider}
            edge = day + _EDGE_MS if day != _EVERYWHERE else day
            starts += [s for s in found_starts if s.key_hash not in again and s.event_ms >= edge]
            completes += [c for c in found_completes if c.key_hash not in again]
        search = wider
    return Known(starts, completes, states, reports)


def _first_days(batch: Enriched) -> dict[Key, int]:
    """The first day to search, in ms since the epoch, for each transfer key of a batch."""
    first: dict[Key, int] = {}
    for new in batch.starts:
        start = new.start
        _lower(first, (start.key_order, start.key_hash), _day(start.event_ms))
    for ended in batch.completes:
        complete = ended.complete
        earliest = complete.event_ms
        if reaches_everywhere(complete):
            day = _EVERYWHERE
        else:
            if not complete.never_pairs and complete.started_ms is not None and complete.started_ms < earliest:
                earliest = complete.started_ms
            day = _day(earliest)
        _lower(first, (complete.key_order, complete.key_hash), day)
    return first


def _lower(first: dict[Key, int], key: Key, day: int) -> None:
    known = first.get(key)
    if known is None or day < known:
        first[key] = day


def _day(ms: int) -> int:
    early = ms - _SLACK_MS
    return max(early - early % DAY_MS, 0)


def _reach(complete: KnownComplete) -> int:
    """The day from which on this complete could have found its start."""
    if complete.never_pairs:
        return complete.event_ms
    if complete.started_ms is None or complete.started_ms > complete.event_ms:
        return _EVERYWHERE
    return _day(complete.started_ms)


def _wide_keys(cursor: Cursor, keys: Iterable[Key]) -> list[Key]:
    cursor.execute("SELECT EXISTS (SELECT FROM store.wide_key)")
    row = cursor.fetchone()
    if not row or not row[0]:
        return []
    cursor.execute(
        "SELECT w.key_order, w.key_hash FROM unnest(%s::bigint[], %s::bigint[]) AS k(key_order, key_hash)"
        " JOIN store.wide_key AS w USING (key_order, key_hash)",
        _arrays(sorted(keys)),
    )
    return cursor.fetchall()


def _by_day(search: dict[Key, int]) -> list[tuple[int, list[Key]]]:
    days: dict[int, list[Key]] = {}
    for key, day in search.items():
        days.setdefault(day, []).append(key)
    return [(day, sorted(keys)) for day, keys in sorted(days.items())]


def _search(cursor: Cursor, day: int, keys: list[Key]) -> tuple[list[KnownStart], list[KnownComplete]]:
    # The bound is written into the text, not bound as a value: the planner then leaves the other partitions out.
    since = f" AND {{}} >= '{moment(day)}'" if day != _EVERYWHERE else ""
    arrays = _arrays(keys)
    cursor.execute(_STARTS + since.format("s.event_at"), arrays)
    starts = [KnownStart(*row) for row in cursor.fetchall()]
    cursor.execute(_COMPLETES + since.format("t.ended_at"), arrays)
    return starts, [KnownComplete(*row) for row in cursor.fetchall()]


def _arrays(keys: Iterable[Key]) -> tuple[str, str]:
    pairs: list[Any] = list(keys)
    return (
        "{" + ",".join([str(order) for order, _ in pairs]) + "}",
        "{" + ",".join([str(key_hash) for _, key_hash in pairs]) + "}",
    )
