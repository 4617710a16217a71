"""FTS start and complete messages of every era -> events.

Field tables with the origin of each are in README.md. The eras differ in types (text until FTS3 3.5, JSON numbers
since), so the wire structs take any type and cleaning decides; what a struct does not name is skipped unparsed.
The MONIT archive wraps a message as ``{"data": {...}, "metadata": {...}}``: ``data`` is then the message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from schemas import cleaning
from schemas.deadletters import Malformed
from schemas.envelope import RawMessage
from schemas.events import (
    ABORTED,
    FAILED,
    FTS,
    INTERVAL_USED,
    OK,
    Complete,
    Side,
    Start,
)
from schemas.hosts import instance_name, link_host
from schemas.keys import hash64, id_text, key_order, transfer_key
from schemas.rules import Horizon, byte_count, duration, interval, time_field, within
from schemas.times import is_zero_time

_STATES = {"ok": OK, "error": FAILED, "abort": ABORTED, "aborted": ABORTED}


class _Metadata(msgspec.Struct, gc=False):
    activity: Any = None
    src_rse: Any = None
    dst_rse: Any = None


class _Wire(msgspec.Struct, gc=False):
    agent_fqdn: Any = None
    job_id: Any = None
    file_id: Any = None
    endpnt: Any = None
    vo: Any = None
    src_url: Any = None
    dst_url: Any = None
    src_hostname: Any = None
    dst_hostname: Any = None
    t_channel: Any = None
    srm_space_token_src: Any = None
    srm_space_token_dst: Any = None
    file_metadata: _Metadata | str | None = None
    data: Any = None


class _StartWire(_Wire, gc=False):
    transfer_id: Any = None
    timestamp: Any = None


class _CompleteWire(_Wire, gc=False):
    tr_id: Any = None
    t_final_transfer_state: Any = None
    tr_timestamp_start: Any = None
    tr_timestamp_complete: Any = None
    timestamp_tr_st: Any = None
    timestamp_tr_comp: Any = None
    timestamp_chk_src_st: Any = None
    timestamp_chk_src_ended: Any = None
    timestamp_checksum_dest_st: Any = None
    timestamp_checksum_dest_ended: Any = None
    time_srm_prep_st: Any = None
    time_srm_prep_end: Any = None
    time_srm_fin_st: Any = None
    time_srm_fin_end: Any = None
    tr_bt_transfered: Any = None
    f_size: Any = None
    file_size: Any = None
    channel_type: Any = None
    protocol: Any = None
    ipver: Any = None
    tr_error_scope: Any = None
    t_failure_phase: Any = None
    tr_error_category: Any = None
    t_error_code: Any = None
    t__error_message: Any = None
    retry: Any = None
    retry_max: Any = None
    user_dn: Any = None


_decode_start: Callable[[bytes], _StartWire] = msgspec.json.Decoder(_StartWire).decode
_decode_complete: Callable[[bytes], _CompleteWire] = msgspec.json.Decoder(_CompleteWire).decode
_NO_METADATA = _Metadata()


def parse_start(message: RawMessage, horizon: Horizon) -> Start:
    """The event of a start message. Raises Malformed with the reason that makes it a dead letter."""
    wire = cleaning.decode_object(message.body, _decode_start, _StartWire)
    transfer_id = id_text(wire.transfer_id)
    job_id, file_id, key = _identity(wire, transfer_id)
    event_ms = time_field(wire.timestamp, "timestamp")
    if event_ms is None:
        raise Malformed("no_time", "the start has no timestamp")
    received_ms = within(event_ms, message.received_ms, horizon)
    metadata = wire.file_metadata if type(wire.file_metadata) is _Metadata else _NO_METADATA
    fts = instance_name(cleaning.text(wire.endpnt))
    agent = _agent(wire.agent_fqdn)
    return Start(
        hash64(key),
        key_order(key),
        fts,
        agent,
        transfer_id,
        job_id,
        file_id,
        cleaning.text(wire.vo) or "unknown",
        cleaning.text(metadata.activity) or "unknown",
        cleaning.text(wire.t_channel),
        _side(wire.src_hostname, wire.src_url, metadata.src_rse, wire.srm_space_token_src),
        _side(wire.dst_hostname, wire.dst_url, metadata.dst_rse, wire.srm_space_token_dst),
        event_ms,
        received_ms,
        fts or message.topic,
        message.ref,
        hash64(f"{fts}\0{key}\0{transfer_id}\0{agent}"),
    )


def parse_complete(message: RawMessage, horizon: Horizon) -> Complete:
    """The event of a complete message. Raises Malformed with the reason that makes it a dead letter."""
    wire = cleaning.decode_object(message.body, _decode_complete, _CompleteWire)
    transfer_id = id_text(wire.tr_id)
    job_id, file_id, key = _identity(wire, transfer_id)
    state = _STATES.get(cleaning.text(wire.t_final_transfer_state).lower())
    if state is None:
        raise Malformed("unknown_state", f"t_final_transfer_state is {wire.t_final_transfer_state!r:.80}")

    started = time_field(wire.tr_timestamp_start, "tr_timestamp_start")
    completed = time_field(wire.tr_timestamp_complete, "tr_timestamp_complete")
    stream_from = time_field(wire.timestamp_tr_st, "timestamp_tr_st")
    stream_to = time_field(wire.timestamp_tr_comp, "timestamp_tr_comp")
    chk_src_from = time_field(wire.timestamp_chk_src_st, "timestamp_chk_src_st")
    chk_src_to = time_field(wire.timestamp_chk_src_ended, "timestamp_chk_src_ended")
    chk_dst_from = time_field(wire.timestamp_checksum_dest_st, "timestamp_checksum_dest_st")
    chk_dst_to = time_field(wire.timestamp_checksum_dest_ended, "timestamp_checksum_dest_ended")
    prep_from = time_field(wire.time_srm_prep_st, "time_srm_prep_st")
    prep_to = time_field(wire.time_srm_prep_end, "time_srm_prep_end")
    fin_from = time_field(wire.time_srm_fin_st, "time_srm_fin_st")
    fin_to = time_field(wire.time_srm_fin_end, "time_srm_fin_end")
    event_ms = completed
    if event_ms is None:
        ends = (started, stream_from, stream_to, chk_src_from, chk_src_to, chk_dst_from, chk_dst_to)
        event_ms = max((t for t in (*ends, prep_from, prep_to, fin_from, fin_to) if t is not None), default=None)
        if event_ms is None:
            raise Malformed("no_time", "the complete has none of its times")
    received_ms = within(event_ms, message.received_ms, horizon)

    count = byte_count(wire.tr_bt_transfered, "tr_bt_transfered")
    streaming = duration(stream_from, stream_to)
    use = interval(stream_from, stream_to, event_ms, horizon.raw_floor_ms)
    metadata = wire.file_metadata if type(wire.file_metadata) is _Metadata else _NO_METADATA
    fts = instance_name(cleaning.text(wire.endpnt))
    return Complete(
        hash64(key),
        key_order(key),
        fts,
        _agent(wire.agent_fqdn),
        transfer_id,
        job_id,
        file_id,
        cleaning.text(wire.vo) or "unknown",
        cleaning.text(metadata.activity) or "unknown",
        cleaning.text(wire.t_channel),
        _side(wire.src_hostname, wire.src_url, metadata.src_rse, wire.srm_space_token_src),
        _side(wire.dst_hostname, wire.dst_url, metadata.dst_rse, wire.srm_space_token_dst),
        event_ms,
        received_ms,
        fts or message.topic,
        message.ref,
        hash64(f"{fts}\0{key}\0{transfer_id}\0{state}\0{count}"),
        state,
        count,
        cleaning.size(wire.file_size) if wire.file_size is not None else cleaning.size(wire.f_size),
        started,
        started is None and is_zero_time(wire.tr_timestamp_start),
        use,
        stream_from if use == INTERVAL_USED and stream_from is not None else 0,
        stream_to if use == INTERVAL_USED and stream_to is not None else 0,
        (
            streaming,
            duration(started, completed),
            duration(prep_from, prep_to),
            duration(fin_from, fin_to),
            duration(chk_src_from, chk_src_to),
            duration(chk_dst_from, chk_dst_to),
            count * 1000 // streaming if streaming else None,
        ),
        cleaning.text(wire.channel_type),
        cleaning.text(wire.protocol),
        cleaning.text(wire.ipver),
        cleaning.text(wire.tr_error_scope),
        cleaning.text(wire.t_failure_phase),
        cleaning.text(wire.tr_error_category),
        cleaning.text(wire.t_error_code),
        cleaning.text(wire.t__error_message),
        cleaning.size(wire.retry),
        cleaning.size(wire.retry_max),
        FTS,
        "",
        cleaning.text(wire.user_dn),
    )


def _identity(wire: _Wire, transfer_id: str) -> tuple[str, str, str]:
    job_id, file_id = id_text(wire.job_id), id_text(wire.file_id)
    key = transfer_key(job_id, file_id, transfer_id)
    if not key:
        raise Malformed("no_id", "neither job_id with file_id nor a transfer id is there")
    return job_id, file_id, key


def _agent(value: object) -> str:
    return cleaning.text(value).lower().rstrip(".") if value else ""


def _side(host: object, url: object, rse: object, token: object) -> Side:
    link_url = cleaning.text(url)
    return Side(link_host(cleaning.text(host), link_url), link_url, cleaning.text(rse), cleaning.text(token))
