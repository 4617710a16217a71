"""An independent recount of recorded messages: what the tables must hold, row for row.

Slow and obvious, standard library only, no code shared with the product. ``expect`` reads files of recorded messages
(JSON lines, plain or gzip) as a whole and returns what every order, batching and number of workers must end at in a
new store. Rules: semantics.md. Where it leaves a choice:

- the copy of a repeated message that is kept is the one received first, then the one that stands first;
- ``job_id`` and ``file_id`` are what the message says; the key may take them from its id;
- an agent is compared and told in lower case, without a trailing dot;
- the id in a dedupe key is the transfer key with the message's own (``transfer_id``, ``tr_id``), which may be missing;
- a moved share of 0 bytes makes no window row of its own.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tests.support.oracle_flows import ErrorKey, activity_windows, endpoint_windows, error_windows, template_of
from tests.support.oracle_messages import Complete, Key, Start, State, Unusable, read_message, technology_of
from tests.support.oracle_queues import QUEUE_TOPICS, Report, queue_samples, read_report
from tests.support.oracle_windows import (
    WIDTHS_MS,
    Cell,
    ChannelKey,
    LinkKey,
    Lookup,
    bin_of,
    channel_windows,
    durations,
    interval_fate,
    link_windows,
)
from tests.support.oracle_xrootd import FORMATS, read_records

NEAR_MS = 60_000
KEPT_OF_TOO_LARGE = 1024 * 1024

Row = dict[str, Any]
M = TypeVar("M", Start, Complete, State)


class DeadLetter(NamedTuple):
    """A message that cannot be used: what must be kept of it, and why."""

    reason: str
    topic: str
    received_ms: int | None
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Expected:
    """What the store must hold. Times are ms; "none" is ``""`` in keys and ``None`` elsewhere.

    ``transfers`` by (fts, job, file, id, event time, state, bytes), ``in_flight`` by (fts, job, file, id, agent,
    timestamp) and ``states`` by (fts, job, file, state, timestamp) have the column names of ``report.transfer``,
    ``report.in_flight`` and ``report.file_state``, ``state_windows`` those of ``report.file_state_10m``. ``links``,
    ``channels``, ``endpoints`` and ``activities`` hold the windows of each width, ``errors`` the failures by kind;
    ``queues`` hold the samples of queues by (fts, time, VO, channel, source, destination);
    ``dead_letters`` are by (file, line); ``intervals`` counts what became of each transfer's streaming interval
    (``spread``, ``none``, ``empty``, ``ignored``).
    """

    received: int
    stored: int
    duplicate: int
    dead_letters: dict[tuple[str, int], DeadLetter]
    transfers: dict[tuple[Any, ...], Row]
    in_flight: dict[tuple[Any, ...], Row]
    states: dict[tuple[Any, ...], Row]
    state_windows: dict[tuple[Any, ...], Row]
    links: dict[str, dict[LinkKey, Cell]]
    channels: dict[str, dict[ChannelKey, Cell]]
    endpoints: dict[str, dict[tuple[Any, ...], Cell]]
    activities: dict[str, dict[tuple[Any, ...], Cell]]
    errors: dict[ErrorKey, Cell]
    intervals: Counter[str]
    queues: dict[tuple[Any, ...], Row]

    @property
    def dead(self) -> int:
        return len(self.dead_letters)

    @property
    def dead_by_reason(self) -> Counter[str]:
        return Counter(letter.reason for letter in self.dead_letters.values())


def expect(paths: Path | Iterable[Path], lookup: Lookup) -> Expected:
    """Recount the recorded messages of one or more files; ``lookup`` tells (site, country) of a host at an instant."""
    files = [paths] if isinstance(paths, Path) else list(paths)
    starts: list[Start] = []
    completes: list[Complete] = []
    states: list[State] = []
    reports: dict[tuple[Any, ...], list[Report]] = defaultdict(list)
    dead_letters: dict[tuple[str, int], DeadLetter] = {}
    received = 0
    for path in files:
        for number, line in _lines(path):
            received += 1
            recorded = json.loads(line)
            body = _body(recorded)
            try:
                if recorded["topic"] in QUEUE_TOPICS:
                    report = read_report(recorded["topic"], body, recorded.get("received"))
                    reports[report.dedupe].append(report)
                    continue
                messages = _messages(recorded["topic"], body, recorded.get("received"), f"{path}:{number}")
            except Unusable as trouble:
                dead_letters[str(path), number] = _dead(trouble.args[0], recorded, body)
            else:
                received += len(messages) - 1  # a packet counts as the records in it
                starts += [m for m in messages if isinstance(m, Start)]
                completes += [m for m in messages if isinstance(m, Complete)]
                states += [m for m in messages if isinstance(m, State)]
    first_starts, first_completes, first_states = _first_copies(starts), _first_copies(completes), _first_copies(states)
    stored = len(first_starts) + len(first_completes) + len(first_states) + len(reports)
    states_of: dict[Key, list[State]] = defaultdict(list)
    for state in first_states:
        states_of[state.key].append(state)
    pairs = _pairs(first_starts, first_completes)
    taken = {start.dedupe for start in pairs.values()}
    links = {
        width: link_windows(first_starts, first_completes, lookup, width_ms) for width, width_ms in WIDTHS_MS.items()
    }
    return Expected(
        received=received,
        stored=stored,
        duplicate=received - stored - len(dead_letters),
        dead_letters=dead_letters,
        transfers={
            _finished_key(c): _transfer_row(c, pairs.get(c.dedupe), states_of[c.key], lookup) for c in first_completes
        },
        in_flight={
            _row_key(s, s.agent, s.event_ms): _in_flight_row(s, states_of[s.key], lookup)
            for s in first_starts
            if s.dedupe not in taken
        },
        states={s.dedupe: _state_row(s) for s in first_states},
        state_windows=_state_windows(first_states),
        links=links,
        channels={width: channel_windows(cells) for width, cells in links.items()},
        endpoints={
            width: endpoint_windows(first_starts, first_completes, width_ms) for width, width_ms in WIDTHS_MS.items()
        },
        activities={
            width: activity_windows(first_starts, first_completes, lookup, width_ms)
            for width, width_ms in WIDTHS_MS.items()
        },
        errors=error_windows(first_completes, lookup),
        intervals=Counter(interval_fate(c) for c in first_completes),
        queues=queue_samples(report for copies in reports.values() for report in copies),
    )


def _messages(topic: str, body: bytes, received_ms: int | None, ref: str) -> list[Start | Complete | State]:
    if topic in FORMATS:
        return list(read_records(topic, body, received_ms, ref))
    return [read_message(topic, body, received_ms, ref)]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _body(recorded: dict[str, Any]) -> bytes:
    encoded = recorded.get("body_base64")
    return bytes(recorded["body"].encode("utf-8") if encoded is None else base64.b64decode(encoded))


def _dead(reason: str, recorded: dict[str, Any], body: bytes) -> DeadLetter:
    kept = body[:KEPT_OF_TOO_LARGE] if reason == "too_large" else body
    return DeadLetter(reason, recorded["topic"], recorded.get("received"), recorded.get("headers") or {}, kept)


def _first_copies(messages: Iterable[M]) -> list[M]:
    first: dict[tuple[Any, ...], M] = {}
    for message in messages:
        kept = first.get(message.dedupe)
        if kept is None or message.received_ms < kept.received_ms:
            first[message.dedupe] = message
    return list(first.values())


def _pairs(starts: Iterable[Start], completes: Iterable[Complete]) -> dict[tuple[Any, ...], Start]:
    """The start of each paired complete, by the complete's dedupe key."""
    by_key: dict[Key, tuple[list[Start], list[Complete]]] = defaultdict(lambda: ([], []))
    for start in starts:
        by_key[start.key][0].append(start)
    for complete in completes:
        if not complete.start_was_zero:
            by_key[complete.key][1].append(complete)
    pairs: dict[tuple[Any, ...], Start] = {}
    for its_starts, its_completes in by_key.values():
        pairs |= pairs_of_key(its_starts, its_completes)
    return pairs


def pairs_of_key(starts: list[Start], completes: list[Complete]) -> dict[tuple[Any, ...], Start]:
    """The start of each paired complete among the distinct messages of one key, without those that never pair."""
    pairs: dict[tuple[Any, ...], Start] = {}
    left = {start.dedupe: start for start in starts}
    near = []
    for complete in completes:
        process_start = complete.times.get("tr_timestamp_start")
        for start in starts:
            if process_start is not None and _agree(start, complete):
                distance = abs(start.event_ms - process_start)
                if distance <= NEAR_MS:
                    near.append((distance, complete.dedupe, start.dedupe))
    for _, complete_key, start_key in sorted(near):
        if complete_key not in pairs and start_key in left:
            pairs[complete_key] = left.pop(start_key)
    for complete in sorted(completes, key=lambda c: (c.event_ms, c.dedupe)):
        if complete.dedupe in pairs:
            continue
        process_start = complete.times.get("tr_timestamp_start")
        earliest = 0 if process_start is None else process_start - NEAR_MS
        fitting = [s for s in left.values() if _agree(s, complete) and earliest <= s.event_ms <= complete.event_ms]
        if fitting:
            latest = min(fitting, key=lambda s: (-s.event_ms, s.dedupe))
            pairs[complete.dedupe] = left.pop(latest.dedupe)
    return pairs


def _agree(start: Start, complete: Complete) -> bool:
    """Whether FTS instance and agent are the same as far as both say them."""
    said = [(start.fts, complete.fts), (start.agent, complete.agent)]
    return all(one == other for one, other in said if one and other)


def _common_row(message: Start | Complete, lookup: Lookup) -> Row:
    src_site, src_country = lookup(message.src_host, message.event_ms)
    dst_site, dst_country = lookup(message.dst_host, message.event_ms)
    return {
        "technology": technology_of(message),
        "fts": message.fts,
        "agent_fqdn": message.agent,
        "transfer_id": message.transfer_id,
        "job_id": message.job_id,
        "file_id": message.file_id,
        "vo": message.vo,
        "activity": message.activity,
        "channel": message.channel,
        "src_host": message.src_host,
        "dst_host": message.dst_host,
        "src_site": src_site,
        "dst_site": dst_site,
        "src_country": src_country,
        "dst_country": dst_country,
    }


def _row_key(message: Start | Complete, *more: Any) -> tuple[Any, ...]:
    return (message.fts, message.job_id, message.file_id, message.transfer_id, *more)


def _finished_key(c: Complete) -> tuple[Any, ...]:
    return _row_key(c, c.technology, c.src_host, c.dst_host, _began(c), c.event_ms, c.state, c.bytes)


def _began(complete: Complete) -> int | None:
    return complete.times.get("tr_timestamp_start" if complete.technology == "fts" else "timestamp_tr_st")


def _state_row(state: State) -> Row:
    names = ("fts", "job_id", "file_id", "vo", "src_host", "dst_host", "state", "wait_ms", "staging_ms", "ref")
    return {name: getattr(state, name) for name in names} | {
        "event_at": state.event_ms,
        "received_at": state.received_ms,
    }


def _state_windows(states: Iterable[State]) -> dict[tuple[Any, ...], Row]:
    """By (window start, fts, VO, source, destination, state)."""
    members: dict[tuple[Any, ...], list[State]] = defaultdict(list)
    for s in states:
        members[s.event_ms // 600_000 * 600_000, s.fts, s.vo, s.src_host, s.dst_host, s.state].append(s)
    return {key: _state_window(those) for key, those in members.items()}


def _state_window(states: list[State]) -> Row:
    row: Row = {"count": len(states)}
    for name in ("wait", "staging"):
        values = [value for s in states if (value := getattr(s, f"{name}_ms")) is not None]
        row[f"{name}_count"], row[f"{name}_sum"] = len(values), sum(values)
        row[f"{name}_min"], row[f"{name}_max"] = min(values, default=None), max(values, default=None)
        row[f"{name}_hist"] = Counter(bin_of(value) for value in values)
    return row


def _transfer_row(complete: Complete, start: Start | None, states: list[State], lookup: Lookup) -> Row:
    row = _common_row(complete, lookup)
    row |= {
        "start_transfer_id": start.transfer_id if start else None,
        "start_message_at": start.event_ms if start else None,
        "start_ref": start.ref if start else None,
        "complete_ref": complete.ref,
        "started_at": _began(complete),
        "direction": complete.direction,
        "ended_at": complete.event_ms,
        "received_at": complete.received_ms,
        "state": complete.state,
        "bytes": complete.bytes,
        "queue_wait_ms": _queue_wait(complete, states),
        "src_endpoint": complete.src_endpoint or "unknown",
        "dst_endpoint": complete.dst_endpoint or "unknown",
        "error_template": template_of(complete.error_message) if complete.state == "failed" else None,
    }
    row |= {f"{stage}_ms": value for stage, value in durations(complete).items()}
    if start:
        row["agent_fqdn"] = complete.agent or start.agent
    return row


def _queue_wait(complete: Complete, states: list[State]) -> int | None:
    """What the last ACTIVE message of this attempt says, from a minute before its process began to its end."""
    began = complete.times.get("tr_timestamp_start")
    if began is None:
        return None
    told = [
        s
        for s in states
        if s.fts == complete.fts and s.wait_ms is not None and began - NEAR_MS <= s.event_ms <= complete.event_ms
    ]
    return max(told, key=lambda s: s.event_ms).wait_ms if told else None


def _in_flight_row(start: Start, states: list[State], lookup: Lookup) -> Row:
    row = _common_row(start, lookup)
    for name in ("technology", "src_country", "dst_country"):
        del row[name]
    closed = any(
        s.state in ("FINISHED", "FAILED", "CANCELED")
        and s.event_ms >= start.event_ms
        and (s.fts == start.fts or not s.fts or not start.fts)
        for s in states
    )
    return row | {"started_at": start.event_ms, "closed_by_state": closed}
