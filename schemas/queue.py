"""Queue status of FTS2 in all its shapes, and the optimizer messages of FTS3 that followed it -> reports of samples.

Shapes, fields and their origin are in README.md, *Queue status*. One message gives as many samples as it has links.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import QueueReport, QueueSample
from schemas.hosts import UNKNOWN, host_name, host_of_url, instance_name
from schemas.keys import hash64
from schemas.numbers import decimal_of, whole
from schemas.repeated import Fields, decode_fields, said
from schemas.rules import DAY_MS, Horizon, time_field, within

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?", re.ASCII)
_AHEAD_MS = DAY_MS // 2
"""A time of day that lies further ahead of its receipt is one of the day before."""
_MAX_COUNT = 2**53


def parse_queue_status(message: RawMessage, horizon: Horizon) -> QueueReport:
    """The report of a queue status. Raises Malformed with the reason that makes it a dead letter."""
    fields = decode_fields(message.body)
    endpoint = said(fields.last("fts_id"))
    samples = list(_samples(fields))
    if not endpoint and not samples and not any(fields.every("vo", "vos", "channel", "channels")):
        raise Malformed("no_id", "neither fts_id nor a VO nor a channel is there")
    event_ms = _sampled_at(fields.last("time"), message.received_ms)
    return _report(message, horizon, endpoint, event_ms, samples)


def parse_optimizer(message: RawMessage, horizon: Horizon) -> QueueReport:
    """The report of an optimizer message: one sample. Raises Malformed."""
    fields = decode_fields(message.body)
    source, destination = said(fields.last("source_se")), said(fields.last("dest_se"))
    if not source and not destination:
        raise Malformed("no_id", "neither source_se nor dest_se is there")
    sample = QueueSample(
        "",
        "",
        _storage(source),
        _storage(destination),
        _count(fields, "active_count"),
        _count(fields, "submitted_count"),
        None,
        "",
    )
    event_ms = time_field(fields.last("timestamp"), "timestamp")
    return _report(message, horizon, said(fields.last("endpnt")), event_ms, [sample])


def _report(
    message: RawMessage, horizon: Horizon, endpoint: str, event_ms: int | None, samples: list[QueueSample]
) -> QueueReport:
    if event_ms is None:
        raise Malformed("no_time", "it does not say when it was sampled")
    received_ms = within(event_ms, message.received_ms, horizon)
    fts = instance_name(endpoint)
    best: dict[tuple[str, ...], QueueSample] = {}
    for sample in samples:
        key = sample[:4]
        if key not in best or sample.rank > best[key].rank:
            best[key] = sample
    # No wire text holds NUL, so the joined text is as distinct as the keys.
    dedupe = hash64("\0".join((fts, *(text for key in sorted(best) for text in key))))
    return QueueReport(fts, event_ms, received_ms, fts or message.topic, message.ref, dedupe, list(best.values()))


def _samples(fields: Fields) -> Iterator[QueueSample]:
    """All links of all channels of all VOs; channels at the top are those of an unknown VO."""
    yield from _of_channels(fields, UNKNOWN)
    for vo in fields.every("vo", "vos"):
        yield from _of_channels(_object(vo, "vo"), "")


def _of_channels(owner: Fields, name: str) -> Iterator[QueueSample]:
    vo = name or said(owner.last("voname")) or UNKNOWN
    for value in owner.every("channel", "channels"):
        channel = _object(value, "channel")
        channel_name, channel_type = said(channel.last("channel_name")), said(channel.last("channel_type"))
        for each in channel.every("links"):
            link = _object(each, "link")
            src, dst = _host(link.last("source_host")), _host(link.last("dest_host"))
            if src or dst:
                src, dst = src or UNKNOWN, dst or UNKNOWN
            yield QueueSample(
                vo, channel_name, src, dst, _count(link, "active"), _count(link, "ready"), _ratio(link), channel_type
            )


def _object(value: object, what: str) -> Fields:
    if isinstance(value, Fields):
        return value
    raise Malformed("bad_shape", f"a {what} is {value!r:.80} where an object is expected")


def _host(value: object) -> str:
    """A host as it is compared; ``""`` only where it was sent empty or not at all, which means the whole channel."""
    if value is None or (type(value) is str and not value.strip()):
        return ""
    return host_name(said(value))


def _storage(said_to_be: str) -> str:
    """The host of ``scheme://host``."""
    return host_of_url(said_to_be) if "://" in said_to_be else host_name(said_to_be)


def _count(fields: Fields, name: str) -> int | None:
    """A whole number; None where nothing was sent. What is there and is none would be a wrong statistic."""
    value = fields.last(name)
    text = value.strip() if type(value) is str else value
    if text is None or text == "":
        return None
    number = decimal_of(text)
    count = None if number is None or abs(number) > _MAX_COUNT else whole(number)
    if count is None or count < 0:
        raise Malformed("bad_count", f"{name} is {value!r:.80}")
    return count


def _ratio(fields: Fields) -> float | None:
    """Per cent; None where nothing can be read: FTS prints ``inf%`` or ``nan%`` when it divides by a limit of 0."""
    value = fields.last("ratio")
    number = decimal_of(value.strip().removesuffix("%").rstrip() if type(value) is str else value)
    if number is None or number < 0:
        return None
    ratio = float(number)
    return ratio if math.isfinite(ratio) else None


def _sampled_at(value: object, received_ms: int | None) -> int | None:
    """ms since the epoch. A time of day (UTC) is one of the day of receipt, or of the day before it when it would
    otherwise lie more than half a day ahead. Raises Malformed: bad_time.
    """
    clock = _TIME_OF_DAY.fullmatch(value.strip()) if type(value) is str else None
    if clock is None:
        return time_field(value, "time")
    if received_ms is None:
        raise Malformed("bad_time", f"time is {value!r:.80}: of which day only a receipt time could tell")
    hours, minutes, seconds, fraction = clock.groups(default="")
    in_day_ms = (int(hours) * 60 + int(minutes)) * 60_000 + int(seconds) * 1000 + int(f"{fraction:0<3.3}")
    at_ms = received_ms - received_ms % DAY_MS + in_day_ms
    if at_ms > received_ms + _AHEAD_MS:
        at_ms -= DAY_MS
    if at_ms <= 0:
        raise Malformed("bad_time", f"time {value!r:.80} lies before 1970")
    return at_ms
