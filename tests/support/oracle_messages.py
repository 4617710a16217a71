"""The oracle's reading of one message: the facts it states, or the reason why it cannot be used.

Slow and obvious on purpose, standard library only, and no line shared with the product: what both get right here,
they got right twice. Numbers are read as exact decimals, never as floats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, NoReturn

START_TOPIC = "transfer.fts_monitoring_start"
COMPLETE_TOPIC = "transfer.fts_monitoring_complete"
STATE_TOPIC = "transfer.fts_monitoring_state"

DAY_MS = 24 * 3600 * 1000
LARGEST_BODY = 16 * 1024 * 1024
LARGEST_BYTES = 2**53
LAST_MS = 253_402_214_399_999  # of 9999-12-30
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NO_HOST = "invalid hostname"
"""What FTS writes where it could not tell a host."""

STATES = {"ok": "ok", "error": "failed", "abort": "aborted", "aborted": "aborted"}

STAGES = {
    "streaming": ("timestamp_tr_st", "timestamp_tr_comp"),
    "total": ("tr_timestamp_start", "tr_timestamp_complete"),
    "srm_prep": ("time_srm_prep_st", "time_srm_prep_end"),
    "srm_fin": ("time_srm_fin_st", "time_srm_fin_end"),
    "checksum_src": ("timestamp_chk_src_st", "timestamp_chk_src_ended"),
    "checksum_dst": ("timestamp_checksum_dest_st", "timestamp_checksum_dest_ended"),
}
_WORDS = """
    STAGING ARCHIVING QOS_TRANSITION QOS_REQUEST_SUBMITTED STARTED SUBMITTED READY ACTIVE FINISHED FAILED CANCELED
    NOT_USED ON_HOLD ON_HOLD_STAGING FORCE_START TOKEN_PREP
"""
FILE_STATES = set(_WORDS.strip().split())
COMPLETE_TIMES = [name for ends in STAGES.values() for name in ends]

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_EXACT = Context(prec=1000)

Key = tuple[str, ...]


class Unusable(Exception):
    """A message that becomes a dead letter; the argument is the reason."""


@dataclass(frozen=True)
class Message:
    """What a start and a complete have in common. Absent text is ``""``, absent times are ``None``; ms, bytes."""

    ref: str
    received_ms: int
    event_ms: int
    key: Key
    dedupe: tuple[Any, ...]
    fts: str
    agent: str
    transfer_id: str
    job_id: str
    file_id: str
    vo: str
    activity: str
    channel: str
    src_host: str
    dst_host: str
    src_endpoint: str
    dst_endpoint: str


@dataclass(frozen=True)
class Start(Message):
    """A usable start; its event time is its ``timestamp``."""


@dataclass(frozen=True)
class Complete(Message):
    """A usable complete; ``times`` by wire name, without those that did not happen."""

    state: str
    bytes: int
    times: Mapping[str, int]
    start_was_zero: bool
    error_scope: str
    error_phase: str
    error_category: str
    error_code: str
    error_message: str
    technology: str = "fts"
    direction: str = ""


def technology_of(message: Start | Complete) -> str:
    """Starts are of FTS alone."""
    return message.technology if isinstance(message, Complete) else "fts"


@dataclass(frozen=True)
class State:
    """A usable state message. ``wait_ms`` and ``staging_ms`` are told by ACTIVE ones alone."""

    ref: str
    received_ms: int
    event_ms: int
    key: Key
    dedupe: tuple[Any, ...]
    fts: str
    job_id: str
    file_id: str
    vo: str
    src_host: str
    dst_host: str
    state: str
    wait_ms: int | None
    staging_ms: int | None


def read_message(topic: str, body: bytes, received_ms: int | None, ref: str) -> Start | Complete | State:
    """The facts that a body states; raises Unusable."""
    if topic not in (START_TOPIC, COMPLETE_TOPIC, STATE_TOPIC):
        raise Unusable("unknown_kind")
    if len(body) > LARGEST_BODY:
        raise Unusable("too_large")
    fields = body_fields(body)
    if topic == STATE_TOPIC:
        return _read_state(fields, received_ms, ref)
    is_start = topic == START_TOPIC
    transfer_id = _id(fields.get("transfer_id" if is_start else "tr_id"))
    job_id, file_id = _id(fields.get("job_id")), _id(fields.get("file_id"))
    key = _key(job_id, file_id, transfer_id)
    state = "" if is_start else _state(fields.get("t_final_transfer_state"))
    names = ["timestamp"] if is_start else COMPLETE_TIMES
    instants = {name: read_instant(fields.get(name)) for name in names}
    times = {name: instant for name, instant in instants.items() if instant}
    event_ms = _event_time(times)
    received_ms = receipt_time(event_ms, received_ms)
    fts = host_of_url(_text(fields.get("endpnt")))
    agent = _text(fields.get("agent_fqdn")).lower().rstrip(".")
    common: dict[str, Any] = {
        "ref": ref,
        "received_ms": received_ms,
        "event_ms": event_ms,
        "key": key,
        "fts": fts,
        "agent": agent,
        "transfer_id": transfer_id,
        "job_id": job_id,
        "file_id": file_id,
        "vo": _text(fields.get("vo")) or "unknown",
        "activity": _metadata(fields, "activity") or "unknown",
        "channel": _text(fields.get("t_channel")),
        "src_host": _link_host(fields, "src_hostname", "src_url"),
        "dst_host": _link_host(fields, "dst_hostname", "dst_url"),
        "src_endpoint": _metadata(fields, "src_rse"),
        "dst_endpoint": _metadata(fields, "dst_rse"),
    }
    if is_start:
        return Start(dedupe=(fts, key, transfer_id, agent, event_ms), **common)
    volume = read_bytes(fields.get("tr_bt_transfered"))
    return Complete(
        dedupe=(fts, key, transfer_id, event_ms, state, volume),
        state=state,
        bytes=volume,
        times=times,
        start_was_zero=instants["tr_timestamp_start"] == 0,
        error_scope=_text(fields.get("tr_error_scope")),
        error_phase=_text(fields.get("t_failure_phase")),
        error_category=_text(fields.get("tr_error_category")),
        error_code=_id(fields.get("t_error_code")),
        error_message=_text(fields.get("t__error_message")),
        **common,
    )


def _read_state(fields: dict[str, Any], received_ms: int | None, ref: str) -> State:
    job_id, file_id = _id(fields.get("job_id")), _id(fields.get("file_id"))
    if not (job_id and file_id):
        raise Unusable("no_id")
    state = _text(fields.get("file_state")).upper()
    if state not in FILE_STATES:
        raise Unusable("unknown_state")
    event_ms = read_instant(fields.get("timestamp"))
    if not event_ms:
        raise Unusable("no_time")
    times = {name: read_instant(fields.get(name)) for name in ("submit_time", "staging_start", "staging_finished")}
    submitted = times["submit_time"] or (event_ms if state == "SUBMITTED" else None)
    begun, staged = times["staging_start"], times["staging_finished"]
    wait_ms = staging_ms = None
    if state == "ACTIVE":
        if submitted:
            wait_ms = _believable(event_ms - max(submitted, staged or 0))
        if begun and staged:
            staging_ms = _believable(staged - begun)
    fts = host_of_url(_text(fields.get("endpnt")))
    return State(
        ref=ref,
        received_ms=receipt_time(event_ms, received_ms),
        event_ms=event_ms,
        key=("job", job_id, file_id),
        dedupe=(fts, job_id, file_id, state, event_ms),
        fts=fts,
        job_id=job_id,
        file_id=file_id,
        vo=_text(fields.get("vo_name")) or _text(fields.get("vo")) or "unknown",
        src_host=host_of_url(_text(fields.get("source_se")) or _text(fields.get("src_url"))) or "unknown",
        dst_host=host_of_url(_text(fields.get("dest_se")) or _text(fields.get("dst_url"))) or "unknown",
        state=state,
        wait_ms=wait_ms,
        staging_ms=staging_ms,
    )


def _believable(duration_ms: int) -> int | None:
    return duration_ms if 0 <= duration_ms <= 7 * DAY_MS else None


def receipt_time(event_ms: int, received_ms: int | None) -> int:
    """When it was received, the event time where nobody says; raises Unusable for what is too far from it."""
    if received_ms is None:
        return event_ms
    if event_ms > received_ms + DAY_MS:
        raise Unusable("future")
    if event_ms < received_ms - 30 * DAY_MS:
        raise Unusable("too_old")
    return received_ms


def body_fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body, out of MONIT's envelope; raises Unusable."""
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
    if not isinstance(value, dict):
        raise Unusable("not_object")
    return value["data"] if isinstance(value.get("data"), dict) else value


def _json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "replace"), parse_constant=_no_constant, parse_float=_decimal)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value).strip()


def _id(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value(context=_EXACT):
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _key(job_id: str, file_id: str, transfer_id: str) -> Key:
    """Job and file, else those of ``YYYY-MM-DD-HHMM__src__dst__file__job``, else the whole id."""
    if job_id and file_id:
        return "job", job_id, file_id
    parts = transfer_id.split("__")
    if len(parts) >= 5 and re.fullmatch(r"\d{4}-\d{2}-\d{2}-\d{4}", parts[0]) and parts[-2].isdecimal() and parts[-1]:
        return "job", parts[-1], parts[-2]
    if not transfer_id:
        raise Unusable("no_id")
    return "id", transfer_id


def _state(value: Any) -> str:
    state = STATES.get(_text(value).lower())
    if state is None:
        raise Unusable("unknown_state")
    return state


def read_instant(value: Any) -> int | None:
    """ms since the epoch; ``0`` where a zero was sent, ``None`` where nothing was; raises Unusable ``bad_time``."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        instant = _iso_ms(value)
    else:
        instant = _number_ms(_number(value, "bad_time"))
    if instant < 0 or instant > LAST_MS:
        raise Unusable("bad_time")
    return instant


def _number(value: Any, otherwise: str) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = _decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise Unusable(otherwise)
    return value


def _number_ms(number: Decimal) -> int:
    if number < 0 or number > 10**18:
        raise Unusable("bad_time")
    if number >= 10**14:
        return int(number) // 1000
    if number >= 10**11:
        return int(number)
    return int(_EXACT.multiply(number, Decimal(1000)))


def _iso_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise Unusable("bad_time") from None


def _event_time(times: Mapping[str, int]) -> int:
    if "tr_timestamp_complete" in times:
        return times["tr_timestamp_complete"]
    if not times:
        raise Unusable("no_time")
    return max(times.values())


def read_bytes(value: Any) -> int:
    """Whole bytes, 0 where nothing was sent; raises Unusable ``bad_bytes``."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return 0
    number = _number(value, "bad_bytes")
    if number < 0 or number > LARGEST_BYTES or number != number.to_integral_value(context=_EXACT):
        raise Unusable("bad_bytes")
    return int(number)


def _link_host(fields: Mapping[str, Any], name: str, url: str) -> str:
    host = _text(fields.get(name))
    if host.lower() == NO_HOST:
        return "unknown"
    return (_bare_host(host) if host else host_of_url(_text(fields.get(url)), whole=False)) or "unknown"


def host_of_url(url: str, whole: bool = True) -> str:
    """The host of ``scheme://user@host:port/path``; text without ``://`` is a host itself if ``whole``, else none."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        rest = scheme if whole else ""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = _bare_host(authority.rpartition("@")[2])
    return "" if host == NO_HOST else host


def _bare_host(text: str) -> str:
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d*)?", text)
    if bracketed:
        return bracketed[1].lower()
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.rstrip(".").lower()


def _metadata(fields: Mapping[str, Any], name: str) -> str:
    metadata = fields.get("file_metadata")
    return _text(metadata.get(name)) if isinstance(metadata, dict) else ""
