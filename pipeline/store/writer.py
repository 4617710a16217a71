"""What a batch decided, written: every table once, in one order, rows by rising key; the hot counters last."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from psycopg2 import Binary
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.decide import Effects, KnownComplete, KnownStart, KnownState
from pipeline.stages.decode import Dead
from pipeline.stages.sources import SourceDelta, Sources
from pipeline.store import file_states, finality, flow_rows, outbox, queues, rows, window_rows
from pipeline.store.copying import copy_rows, moment
from pipeline.store.links import Numbered
from pipeline.store.state import reaches_everywhere
from schemas.cleaning import storable
from schemas.topics import DEAD_LETTERS

_DEAD_LETTER = (
    "INSERT INTO store.dead_letter (identity, kind, topic, reason, detail, received_at, headers, body, ref)"
    " VALUES %s ON CONFLICT (identity) DO NOTHING RETURNING id"
)


def write(cursor: Cursor, effects: Effects, numbers: Numbered, revision: int) -> None:
    """Write all effects of a batch. The caller holds the locks and commits."""
    starts = sorted(effects.starts, key=lambda new: (new.start.event_ms, new.start.dedupe))
    copy_rows(cursor, "store.start", rows.START_COLUMNS, [rows.start_row(new, numbers, revision) for new in starts])
    completes = sorted(effects.completes, key=lambda new: (new.complete.event_ms, new.complete.dedupe))
    copy_rows(
        cursor,
        "store.transfer",
        rows.TRANSFER_COLUMNS,
        [rows.transfer_row(new, numbers, revision) for new in completes],
    )
    wide = sorted(
        {(new.complete.key_order, new.complete.key_hash) for new in completes if reaches_everywhere(new.complete)}
    )
    if wide:
        execute_values(
            cursor, "INSERT INTO store.wide_key (key_order, key_hash) VALUES %s ON CONFLICT DO NOTHING", wide
        )
    file_states.write_rows(cursor, effects.states, numbers.links)
    _update_starts(cursor, effects)
    _update_completes(cursor, effects)
    _update_receipt(cursor, "file_state", "event_at", effects.earlier_states)
    queues.add_samples(cursor, effects.samples, numbers.links)
    write_dead(cursor, effects.dead)
    outbox.add_transfers(cursor, _told(effects))
    window_rows.add_windows(cursor, effects.deltas, numbers.links)
    flow_rows.add_flows(cursor, effects.flows, numbers)
    flow_rows.add_errors(cursor, effects.errors, numbers)
    file_states.add_windows(cursor, effects.states, numbers.links)
    _add_sources(cursor, effects.sources)
    finality.note_changed(cursor, effects.deltas)


def write_dead(cursor: Cursor, dead: Sequence[Dead]) -> None:
    """Store dead letters, each identity once. Public because a batch may consist of nothing else."""
    if dead:
        letters = sorted((_dead_row(letter) for letter in dead), key=lambda row: row[0])
        new = execute_values(cursor, _DEAD_LETTER, letters, fetch=True)
        outbox.add_rows(cursor, DEAD_LETTERS, [number for (number,) in new])


def _told(effects: Effects) -> Iterator[tuple[int, int]]:
    """The finished attempts of which this batch makes a new row, or another one than it was."""
    for new in effects.completes:
        yield new.complete.event_ms, new.complete.dedupe
    for known, _ in effects.complete_start:
        yield known.event_ms, known.dedupe
    for known in effects.earlier_completes:
        yield known.event_ms, known.dedupe


def _dead_row(letter: Dead) -> tuple[str, str, str, str, str, str | None, str, Binary, str]:
    message = letter.message
    received = None if message.received_ms is None else moment(message.received_ms)
    headers = json.dumps({storable(name): storable(value) for name, value in message.headers.items()})
    return (
        storable(message.identity),
        storable(message.kind),
        storable(message.topic),
        letter.reason,
        storable(letter.detail),
        received,
        headers,
        Binary(message.body),
        storable(message.ref),
    )


def _update_starts(cursor: Cursor, effects: Effects) -> None:
    paired = sorted((moment(start.event_ms), start.dedupe, now) for start, now in effects.start_paired)
    if paired:
        execute_values(
            cursor,
            "UPDATE store.start AS s SET paired = u.paired FROM (VALUES %s) AS u(event_at, dedupe, paired)"
            " WHERE s.event_at = u.event_at AND s.dedupe = u.dedupe",
            paired,
            template="(%s::timestamptz, %s::bigint, %s)",
            page_size=10_000,
        )
    _update_receipt(cursor, "start", "event_at", effects.earlier_starts)


def _update_completes(cursor: Cursor, effects: Effects) -> None:
    changed = sorted(
        (
            moment(complete.event_ms),
            complete.dedupe,
            moment(start.event_ms) if start else None,
            start.dedupe if start else None,
        )
        for complete, start in effects.complete_start
    )
    if changed:
        execute_values(
            cursor,
            "UPDATE store.transfer AS t SET start_at = u.start_at, start_dedupe = u.start_dedupe"
            " FROM (VALUES %s) AS u(ended_at, dedupe, start_at, start_dedupe)"
            " WHERE t.ended_at = u.ended_at AND t.dedupe = u.dedupe",
            changed,
            template="(%s::timestamptz, %s::bigint, %s::timestamptz, %s::bigint)",
            page_size=10_000,
        )
    _update_receipt(cursor, "transfer", "ended_at", effects.earlier_completes)


def _update_receipt(
    cursor: Cursor,
    table: str,
    time_column: str,
    earlier: Sequence[KnownStart | KnownComplete | KnownState],
) -> None:
    """A stored message came again with an earlier receipt time: the row then tells of that copy."""
    changed = {(moment(row.event_ms), row.dedupe): (moment(row.received_ms), row.ref) for row in earlier}
    if changed:
        execute_values(
            cursor,
            f"UPDATE store.{table} AS t SET received_at = u.received_at, ref = u.ref"
            " FROM (VALUES %s) AS u(at, dedupe, received_at, ref)"
            f" WHERE t.{time_column} = u.at AND t.dedupe = u.dedupe",
            sorted((*key, *value) for key, value in changed.items()),
            template="(%s::timestamptz, %s::bigint, %s::timestamptz, %s)",
            page_size=10_000,
        )


def _add_sources(cursor: Cursor, sources: Sources) -> None:
    if not sources.deltas:
        return
    execute_values(
        cursor,
        "INSERT INTO store.source_10m AS s"
        " (window_start, source, received, stored, duplicate, dead, lateness, lateness_max_s) VALUES %s"
        " ON CONFLICT (window_start, source) DO UPDATE SET received = s.received + excluded.received,"
        " stored = s.stored + excluded.stored, duplicate = s.duplicate + excluded.duplicate,"
        " dead = s.dead + excluded.dead, lateness = report.hist_add(s.lateness, excluded.lateness),"
        " lateness_max_s = GREATEST(s.lateness_max_s, excluded.lateness_max_s)",
        [
            (moment(window), source, *delta.counts, _dense(delta.lateness), delta.lateness_max_s)
            for (source, window), delta in sorted(sources.deltas.items(), key=lambda item: (item[0][1], item[0][0]))
        ],
        template="(%s, %s, %s, %s, %s, %s, %s::bigint[], %s)",
    )
    newest: dict[str, SourceDelta] = {}
    for (source, _), delta in sources.deltas.items():
        newest[source] = _newer(newest.get(source), delta)
    execute_values(
        cursor,
        "INSERT INTO store.freshness AS f (source, last_event_at, last_received_at, last_committed_at) VALUES %s"
        " ON CONFLICT (source) DO UPDATE SET last_event_at = GREATEST(f.last_event_at, excluded.last_event_at),"
        " last_received_at = GREATEST(f.last_received_at, excluded.last_received_at),"
        " last_committed_at = excluded.last_committed_at",
        [
            (source, moment_or_none(delta.last_event_ms), moment_or_none(delta.last_received_ms))
            for source, delta in sorted(newest.items())
        ],
        template="(%s, %s::timestamptz, %s::timestamptz, now())",
    )


def moment_or_none(ms: int | None) -> str | None:
    """A bound value for a nullable time."""
    return None if ms is None else moment(ms)


def _newer(a: SourceDelta | None, b: SourceDelta) -> SourceDelta:
    newest = SourceDelta()
    for delta in (a, b):
        if delta is not None:
            newest.last_event_ms = _max(newest.last_event_ms, delta.last_event_ms)
            newest.last_received_ms = _max(newest.last_received_ms, delta.last_received_ms)
    return newest


def _max(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


def _dense(counts: dict[int, int]) -> list[int]:
    return [counts.get(bin_number, 0) for bin_number in range(max(counts) + 1)] if counts else []
