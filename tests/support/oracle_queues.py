"""The oracle's reading of queue messages, and the samples and windows that they must make. Nothing of the product."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean
from typing import Any

from tests.support.oracle_messages import DAY_MS, LARGEST_BODY, NO_HOST, Unusable, host_of_url, read_instant

STATUS_TOPICS = ("transfer.fts_monitoring_queue_status", "transfer.fts_monitoring_queue_statu")
OPTIMIZER_TOPIC = "transfer.fts_monitoring_queue_state"
QUEUE_TOPICS = (*STATUS_TOPICS, OPTIMIZER_TOPIC)
MOST = 2**53
WINDOW_MS = 600_000

Key = tuple[str, ...]
Row = dict[str, Any]


class Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written."""


@dataclass(frozen=True)
class Report:
    """A usable message. ``samples`` are (VO, channel, source, destination) with what was said of each."""

    received_ms: int
    event_ms: int
    fts: str
    samples: list[tuple[Key, Row]]

    @property
    def dedupe(self) -> tuple[Any, ...]:
        return self.fts, self.event_ms, frozenset(key for key, _ in self.samples)


def read_report(topic: str, body: bytes, received_ms: int | None) -> Report:
    """What a queue message says; raises Unusable."""
    if len(body) > LARGEST_BODY:
        raise Unusable("too_large")
    fields = _object(body)
    if topic == OPTIMIZER_TOPIC:
        ends = [_text(_only(fields, name)) for name in ("source_se", "dest_se")]
        if ends == ["", ""]:
            raise Unusable("no_id")
        hosts = [_host(host_of_url(end)) or "unknown" for end in ends]
        sample = {
            "active": _count(_only(fields, "active_count")),
            "ready": _count(_only(fields, "submitted_count")),
            "ratio": None,
            "channel_type": "",
        }
        endpoint, samples = _text(_only(fields, "endpnt")), [(("", "", *hosts), sample)]
        event_ms = read_instant(_only(fields, "timestamp"))
    else:
        endpoint, samples = _text(_only(fields, "fts_id")), _of_vos(fields)
        if not endpoint and not samples and not any(_all(fields, "vo", "vos", "channel", "channels")):
            raise Unusable("no_id")
        event_ms = _sampled_at(_only(fields, "time"), received_ms)
    if not event_ms:
        raise Unusable("no_time")
    received_ms = event_ms if received_ms is None else received_ms
    if event_ms > received_ms + DAY_MS:
        raise Unusable("future")
    if event_ms < received_ms - 30 * DAY_MS:
        raise Unusable("too_old")
    return Report(received_ms, event_ms, host_of_url(endpoint), samples)


def queue_samples(reports: Iterable[Report]) -> dict[tuple[Any, ...], Row]:
    """The rows of ``report.queue_sample`` by (fts, time, VO, channel, source, destination)."""
    rows: dict[tuple[Any, ...], Row] = {}
    for report in reports:
        for key, said in report.samples:
            place = (report.fts, report.event_ms, *key)
            if place not in rows or _rank(said) > _rank(rows[place]):
                rows[place] = said
    return rows


def queue_windows(samples: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    """The rows of ``report.queue_10m`` by (window, fts, VO, channel, source, destination)."""
    groups: dict[tuple[Any, ...], list[tuple[int, Row]]] = defaultdict(list)
    for (fts, at, *key), row in samples.items():
        groups[at - at % WINDOW_MS, fts, *key].append((at, row))
    windows = {}
    for place, group in groups.items():
        group.sort(key=lambda each: each[0])
        cell: Row = {"samples": len(group), "channel_type": group[-1][1]["channel_type"]}
        for name in ("active", "ready", "ratio"):
            known = [row[name] for _, row in group if row[name] is not None]
            cell[f"{name}_last"] = known[-1] if known else None
            cell[f"{name}_avg"] = round(fmean(known), 6) if known else None
            cell[f"{name}_max"] = max(known) if known else None
        windows[place] = cell
    return windows


def _rank(row: Row) -> tuple[Any, ...]:
    numbers = [float("-inf") if row[name] is None else row[name] for name in ("active", "ready", "ratio")]
    return (*numbers, row["channel_type"].encode())


def _object(body: bytes) -> Pairs:
    body = body.strip(b" \t\r\n\x00\x04")
    if not body:
        raise Unusable("empty")
    try:
        try:
            value = _json(body)
        except ValueError:
            value = _json(body[:-1])
    except ValueError:
        raise Unusable("not_json") from None
    except RecursionError:
        raise Unusable("too_deep") from None
    if not isinstance(value, Pairs):
        raise Unusable("not_object")
    inner = _only(value, "data")
    return inner if isinstance(inner, Pairs) else value


def _json(body: bytes) -> Any:
    def refuse(word: str) -> Any:
        raise ValueError(word)

    text = body.decode("utf-8", "replace")
    return json.loads(text, object_pairs_hook=Pairs, parse_constant=refuse, parse_float=Decimal)


def _only(fields: Pairs, name: str) -> Any:
    return dict(fields).get(name)


def _all(fields: Pairs, *names: str) -> list[Any]:
    found = []
    for key, value in fields:
        if key in names:
            found += value if type(value) is list else [value]
    return [value for value in found if value is not None and value != ""]


def _of_vos(fields: Pairs) -> list[tuple[Key, Row]]:
    found = _of_channels(fields, "unknown")
    for vo in _all(fields, "vo", "vos"):
        if not isinstance(vo, Pairs):
            raise Unusable("bad_shape")
        found += _of_channels(vo, _text(_only(vo, "voname")) or "unknown")
    return found


def _of_channels(fields: Pairs, vo: str) -> list[tuple[Key, Row]]:
    found = []
    for channel in _all(fields, "channel", "channels"):
        if not isinstance(channel, Pairs):
            raise Unusable("bad_shape")
        for link in _all(channel, "links"):
            if not isinstance(link, Pairs):
                raise Unusable("bad_shape")
            hosts = [_end(_only(link, name)) for name in ("source_host", "dest_host")]
            if hosts != ["", ""]:
                hosts = [host or "unknown" for host in hosts]
            row = {
                "active": _count(_only(link, "active")),
                "ready": _count(_only(link, "ready")),
                "ratio": _percent(_only(link, "ratio")),
                "channel_type": _text(_only(channel, "channel_type")),
            }
            found.append(((vo, _text(_only(channel, "channel_name")), *hosts), row))
    return found


def _end(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    return _host(_text(value)) or "unknown"


def _host(text: str) -> str:
    text = text.lower()
    bracketed = re.fullmatch(r"\[(.*)\](:\d*)?", text)
    if bracketed:
        return bracketed[1]
    host = text.partition(":")[0] if text.count(":") == 1 else text
    return "" if host == NO_HOST else host.rstrip(".")


def _text(value: Any) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return ""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value.strip())


def _count(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = _number(value)
    if number is None or number != int(number) or not 0 <= number <= MOST:
        raise Unusable("bad_count")
    return int(number)


def _percent(value: Any) -> float | None:
    number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return None if number is None or number < 0 else float(number)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", value.strip(), re.ASCII):
        return Decimal(value.strip())
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _sampled_at(value: Any, received_ms: int | None) -> int | None:
    clock = re.fullmatch(r"\s*(\d\d?):(\d\d):(\d\d(?:\.\d*)?)\s*", value) if isinstance(value, str) else None
    if clock is None:
        return read_instant(value)
    hours, minutes, seconds = int(clock[1]), int(clock[2]), Decimal(clock[3])
    if received_ms is None or hours > 23 or minutes > 59 or seconds >= 60:
        raise Unusable("bad_time")
    at = received_ms // DAY_MS * DAY_MS + hours * 3_600_000 + minutes * 60_000 + int(seconds * 1000)
    at -= DAY_MS if at > received_ms + DAY_MS // 2 else 0
    if at <= 0:
        raise Unusable("bad_time")
    return at
