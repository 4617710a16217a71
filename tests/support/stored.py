"""What the report views hold against what the oracle expects, row for row and cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection

from tests.support.oracle import Expected
from tests.support.oracle_flows import ActivityKey, EndpointKey, ErrorKey
from tests.support.oracle_queues import queue_windows
from tests.support.oracle_windows import MEASURES, ChannelKey, LinkKey

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SURROGATES = ("start_ref", "complete_ref", "ref")
"""Columns that tell where a message was read, which depends on how it came."""

Rows = dict[tuple[Any, ...], dict[str, Any]]


def differences(expected: Expected, connection: Connection) -> Iterator[str]:
    """A sentence for each row or cell in which the views differ from what is expected; none when all is equal."""
    for width in ("10m", "1h", "1d"):
        yield from _compare(f"link_{width}", _windows(connection, f"link_{width}", LinkKey), expected.links[width])
        channels = _windows(connection, f"channel_{width}", ChannelKey)
        yield from _compare(f"channel_{width}", channels, expected.channels[width])
        endpoints = _counts(connection, f"endpoint_{width}", EndpointKey)
        yield from _compare(f"endpoint_{width}", endpoints, expected.endpoints[width])
        activities = _counts(connection, f"activity_{width}", ActivityKey)
        yield from _compare(f"activity_{width}", activities, expected.activities[width])
    yield from _error_differences(expected, connection)
    facts = ("technology", "src_host", "dst_host", "started_at", "ended_at", "state", "bytes")
    transfers = {
        (*_ids(row), *(row[name] for name in facts)): row | {"transfer_id": row["transfer_id"] or None}
        for row in _rows(connection, "transfer")
    }
    yield from _compare("transfer", transfers, expected.transfers)
    in_flight = {
        (*_ids(row), row["agent_fqdn"] or "", row["started_at"]): row for row in _rows(connection, "in_flight")
    }
    yield from _compare("in_flight", in_flight, expected.in_flight)
    states = {
        (row["fts"] or "", row["job_id"], row["file_id"], row["state"], row["event_at"]): row
        for row in _rows(connection, "file_state")
    }
    yield from _compare("file_state", states, expected.states)
    yield from _compare("file_state_10m", _state_windows(connection), expected.state_windows)
    yield from _compare("queue_sample", _queues(connection, "queue_sample", "sampled_at"), expected.queues)
    windows = _queues(connection, "queue_10m", "window_start")
    for row in windows.values():
        row |= {name: mean and round(mean, 6) for name, mean in row.items() if name.endswith("_avg")}
    yield from _compare("queue_10m", windows, queue_windows(expected.queues))
    yield from _dead_letter_differences(expected, connection)


def _queues(connection: Connection, view: str, time: str) -> Rows:
    """By instance, time, VO, channel and hosts; of windows the time comes first."""
    first = ("fts", time) if time == "sampled_at" else (time, "fts")
    names = (*first, "vo", "channel", "src_host", "dst_host")
    return {tuple("" if row[name] is None else row[name] for name in names): row for row in _rows(connection, view)}


def _ids(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] or "" for name in ("fts", "job_id", "file_id", "transfer_id"))


def _state_windows(connection: Connection) -> Rows:
    rows: Rows = {}
    for row in _rows(connection, "file_state_10m"):
        for name in ("wait_hist", "staging_hist"):
            row[name] = {number: count for number, count in enumerate(row[name]) if count}
        names = ("window_start", "fts", "vo", "src_host", "dst_host", "state")
        rows[tuple("" if row[name] is None else row[name] for name in names)] = row
    return rows


def _compare(view: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(found.keys() | wanted.keys(), key=str):
        if key not in found or key not in wanted:
            yield f"{view} {key}: {'not stored' if key in wanted else 'should not be there'}"
            continue
        for name, value in wanted[key].items():
            mine = found[key][name]
            if name not in SURROGATES and mine != (None if value == "" else value):
                yield f"{view} {key}: {name} is {mine!r}, should be {value!r}"


def _dead_letter_differences(expected: Expected, connection: Connection) -> Iterator[str]:
    """Those that were replayed with success are none any more. Of the stored headers only those count that some message
    was published with: brokers add their own."""
    published = {name for letter in expected.dead_letters.values() for name in letter.headers}
    wanted = Counter(
        (letter.reason, letter.topic, letter.received_ms, frozenset(letter.headers.items()), letter.body)
        for letter in expected.dead_letters.values()
    )
    found = Counter(
        (
            *(row["reason"], row["topic"], row["received_at"]),
            frozenset(item for item in row["headers"].items() if item[0] in published),
            bytes(row["body"]),
        )
        for row in _rows(connection, "dead_letter")
        if row["replayed_at"] is None
    )
    for letter in sorted(found.keys() | wanted.keys(), key=str):
        if found[letter] != wanted[letter]:
            *facts, body = letter
            yield f"dead_letter {facts} {body[:60]!r}: {found[letter]} stored, should be {wanted[letter]}"


def _error_differences(expected: Expected, connection: Connection) -> Iterator[str]:
    found = _counts(connection, "error_10m", ErrorKey)
    wanted = {key: {"count": cell["count"]} for key, cell in expected.errors.items()}
    yield from _compare("error_10m", found, wanted)
    for key in sorted(found.keys() & expected.errors.keys(), key=str):
        sample, samples = found[key]["sample"] or "", expected.errors[ErrorKey(*key)]["samples"]
        if sample not in samples:
            yield f"error_10m {key}: sample is {sample!r}, should be one of {samples!r}"


def _counts(connection: Connection, view: str, key: type[EndpointKey | ActivityKey | ErrorKey]) -> Rows:
    rows: Rows = {}
    for row in _rows(connection, view):
        row["window_start_ms"] = row.pop("window_start")
        where = tuple("" if row[name] is None else row[name] for name in key._fields)
        assert where not in rows, "a key has one row"
        rows[where] = row
    return rows


def _windows(connection: Connection, view: str, key: type[LinkKey] | type[ChannelKey]) -> Rows:
    rows: Rows = {}
    for row in _rows(connection, view):
        row["window_start_ms"] = row.pop("window_start")
        for name in MEASURES:
            bins = row[f"{name}_hist"] or []
            row[f"{name}_hist"] = {number: count for number, count in enumerate(bins) if count}
        rows[tuple("" if row[name] is None else row[name] for name in key._fields)] = row
    return rows


def _rows(connection: Connection, view: str) -> list[dict[str, Any]]:
    """All rows, with times in ms and whole numbers as int, the way the oracle has them."""
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM report.{view}")
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in cursor]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, Decimal):
        return int(value)
    return value
