"""The bodies that FTS3 writes for an attempt, byte for byte in its style: pretty-printed, sorted, a blank at the end.

Fields are those of FTS3 3.14 (``LegacyReporter.cpp``, ``msg-ifce.cpp``), its quirks included: derived durations are
plain differences even where an end is 0, and the overhead is written as an unsigned number that wraps.
"""

from __future__ import annotations

import orjson

from pipeline.simulator.failures import code_told
from pipeline.simulator.naming import names_of
from pipeline.simulator.script import ABORTED, FAILED, OK, Attempt, Era
from pipeline.simulator.styled import styled
from pipeline.simulator.wire_fts2 import fts2_complete, fts2_start

_WRAP = (1 << 64) - 1

_STATES = {OK: ("Ok", 1), FAILED: ("Error", 0), ABORTED: ("Abort", -1)}

_COMMON = {
    "dest_srm_v": '"%(dst_srm)s"',
    "dst_hostname": '"%(dst_name)s"',
    "dst_site_name": '""',
    "dst_url": '"%(dst_url)s"',
    "endpnt": '"%(fts)s"',
    "file_id": "%(file_id)d",
    "file_metadata": "%(file_metadata)s",
    "is_archiving": "%(is_archiving)s",
    "job_id": '"%(job_id)s"',
    "job_metadata": "%(job_metadata)s",
    "src_hostname": '"%(src_name)s"',
    "src_site_name": '""',
    "src_srm_v": '"%(src_srm)s"',
    "src_url": '"%(src_url)s"',
    "srm_space_token_dst": '"%(token)s"',
    "srm_space_token_src": '""',
    "t_channel": '"%(channel)s"',
    "user_dn": '""',
    "vo": '"%(vo)s"',
}

_START = styled(_COMMON | {"timestamp": "%(timestamp)d", "transfer_id": '"%(id)s"'}) + " "

_COMPLETE = (
    styled(
        _COMMON
        | {
            "activity": '"%(activity)s"',
            "auth_method": '"certificate"',
            "block_size": "0",
            "buf_size": "0",
            "channel_type": '"urlcopy"',
            "chk_timeout": "0",
            "cleanup_code": "-1",
            "dst_protocol": '"%(dst_scheme)s"',
            "dst_se": '"%(dst_scheme)s://%(dst_host)s"',
            "dst_transfer_protocol": '"%(dst_scheme)s"',
            "eviction_code": "-1",
            "f_size": "%(size)d",
            "file_size": "%(size)d",
            "final_destination": '""',
            "ipver": '"%(ipver)s"',
            "is_recoverable": "%(is_recoverable)s",
            "job_m_replica": "false",
            "job_multihop": "false",
            "job_state": '"UNKNOWN"',
            "nstreams": "%(streams)d",
            "operation_time": "%(operation_time)d",
            "overwrite_on_disk_deletion_code": "-1",
            "overwrite_on_disk_flag": "false",
            "protocol": '"%(dst_scheme)s"',
            "protocol_translation": "false",
            "retry": "%(retry)d",
            "retry_max": "%(retry_max)d",
            "scitag": "0",
            "src_protocol": '"%(src_scheme)s"',
            "src_se": '"%(src_scheme)s://%(src_host)s"',
            "src_transfer_protocol": '"%(src_scheme)s"',
            "srm_finalization_time": "%(srm_finalization_time)d",
            "srm_overhead_percentage": "%(srm_overhead_percentage)s",
            "srm_overhead_time": "%(srm_overhead_time)d",
            "srm_preparation_time": "%(srm_preparation_time)d",
            "t__error_message": '"%(message)s"',
            "t_error_code": "%(code)s",
            "t_failure_phase": '"%(phase)s"',
            "t_final_transfer_state": '"%(state)s"',
            "t_final_transfer_state_flag": "%(state_flag)d",
            "t_timeout": "%(timeout)d",
            "tcp_buf_size": "0",
            "throughput": "%(throughput)s",
            "time_srm_fin_end": "%(fin_end)d",
            "time_srm_fin_st": "%(fin_begin)d",
            "time_srm_prep_end": "%(prep_end)d",
            "time_srm_prep_st": "%(prep_begin)d",
            "timestamp_checksum_dest_ended": "%(dst_checked)d",
            "timestamp_checksum_dest_st": "%(dst_checking)d",
            "timestamp_checksum_dst_diff": "%(dst_check_time)d",
            "timestamp_checksum_src_diff": "%(src_check_time)d",
            "timestamp_chk_src_ended": "%(src_checked)d",
            "timestamp_chk_src_st": "%(src_checking)d",
            "timestamp_tr_comp": "%(stream_end)d",
            "timestamp_tr_st": "%(stream_begin)d",
            "tr_bt_transfered": "%(bytes)d",
            "tr_error_category": '"%(category)s"',
            "tr_error_scope": '"%(scope)s"',
            "tr_id": '"%(id)s"',
            "tr_timestamp_complete": "%(end)d",
            "tr_timestamp_start": "%(begin)d",
            "transfer_lasthop": "false",
            "transfer_time": "%(transfer_time)d",
            "transfer_type": '"%(transfer_type)s"',
        }
    )
    + " "
)


def start_body(attempt: Attempt) -> bytes:
    """The start message of an attempt, in the style of its era."""
    if attempt.file.era.is_fts2:
        return fts2_start(attempt)
    body = fts3_start(attempt)
    return _in_envelope(body, attempt, "start") if attempt.file.era is Era.MONIT else body


def complete_body(attempt: Attempt) -> bytes:
    """The complete message of an attempt, in the style of its era."""
    if attempt.file.era.is_fts2:
        return fts2_complete(attempt)
    body = fts3_complete(attempt)
    return _in_envelope(body, attempt, "complete") if attempt.file.era is Era.MONIT else body


def fts3_start(attempt: Attempt) -> bytes:
    """A start as FTS3 writes it."""
    fields = _common_fields(attempt, attempt.start_id)
    fields["timestamp"] = attempt.reported_ms
    return (_START % fields).encode()


def fts3_complete(attempt: Attempt) -> bytes:
    """A complete as FTS3 writes it; a failure's text may hold bytes that are not UTF-8."""
    file, failure = attempt.file, attempt.failure
    fields = _common_fields(attempt, attempt.complete_id)
    stream_begin, stream_end = attempt.streaming
    prep_begin, prep_end = attempt.srm_prep
    fin_begin, fin_end = attempt.srm_fin
    src_checking, src_checked = attempt.checksum_src
    dst_checking, dst_checked = attempt.checksum_dst
    transfer_time = stream_end - stream_begin
    operation_time = attempt.end_ms - attempt.begin_ms
    overhead = (prep_end - prep_begin + fin_end - fin_begin) & _WRAP
    state, state_flag = _STATES[attempt.state]
    fields |= {
        "activity": file.activity,
        "src_scheme": file.link.src.scheme,
        "dst_scheme": file.link.dst.scheme,
        "src_host": file.link.src.name,
        "dst_host": file.link.dst.name,
        "size": file.size,
        "ipver": "ipv6" if file.noise & 3 else "ipv4",
        "streams": 1 + (file.noise & 7) % 4,
        "operation_time": operation_time,
        "srm_preparation_time": prep_end - prep_begin,
        "srm_finalization_time": fin_end - fin_begin,
        "srm_overhead_time": overhead,
        "srm_overhead_percentage": _real(overhead * 100 / operation_time if operation_time > 0 else -1),
        "state": state,
        "state_flag": state_flag,
        "timeout": 600 + file.size // 500_000,
        "throughput": _real(file.size / (transfer_time / 1000) if transfer_time > 0 else -1),
        "fin_begin": fin_begin,
        "fin_end": fin_end,
        "prep_begin": prep_begin,
        "prep_end": prep_end,
        "dst_checking": dst_checking,
        "dst_checked": dst_checked,
        "dst_check_time": dst_checked - dst_checking,
        "src_checking": src_checking,
        "src_checked": src_checked,
        "src_check_time": src_checked - src_checking,
        "stream_begin": stream_begin,
        "stream_end": stream_end,
        "transfer_time": transfer_time,
        "bytes": attempt.bytes,
        "begin": attempt.begin_ms,
        "end": attempt.end_ms,
        "transfer_type": "3rd pull" if stream_begin else "",
    }
    if failure is None:
        fields |= _NO_FAILURE
    else:
        fields |= {
            "code": code_told(failure, by_fts2=False),
            "scope": failure.scope,
            "phase": failure.phase,
            "category": failure.category,
            "message": failure.text.replace("%x", f"{file.noise:x}"),
            "is_recoverable": "true" if attempt.state == FAILED else "false",
            "retry": attempt.number,
            "retry_max": 3,
        }
    return (_COMPLETE % fields).encode("utf-8", "surrogateescape")


_NO_FAILURE: dict[str, object] = {
    "code": 0,
    "scope": "",
    "phase": "",
    "category": "",
    "message": "",
    "is_recoverable": "false",
    "retry": 0,
    "retry_max": 0,
}


def _common_fields(attempt: Attempt, transfer_id: str) -> dict[str, object]:
    file = attempt.file
    src, dst = file.link.src, file.link.dst
    names = names_of(file)
    return {
        "id": transfer_id,
        "fts": file.fts,
        "vo": file.link.vo,
        "channel": file.channel,
        "job_id": file.job_id,
        "file_id": file.file_id,
        "src_name": file.src_name,
        "dst_name": file.dst_name,
        "src_srm": "2.2.0" if src.scheme == "srm" else "",
        "dst_srm": "2.2.0" if dst.scheme == "srm" else "",
        "src_url": names.src_url,
        "dst_url": names.dst_url,
        "token": names.token,
        "file_metadata": names.file_metadata,
        "job_metadata": names.job_metadata,
        "is_archiving": "true" if dst.tape else "false",
    }


def _real(value: float) -> str:
    """A real number as JsonCpp prints it: 17 digits, never without a point."""
    text = f"{value:.17g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _in_envelope(body: bytes, attempt: Attempt, kind: str) -> bytes:
    """The body as CERN's MONIT passes it on: one line, wrapped, with two numbers turned into text."""
    data = orjson.loads(body.decode("utf-8", "replace"))
    data["file_id"] = str(data["file_id"])
    if "t_error_code" in data:
        data["t_error_code"] = str(data["t_error_code"])
    at_ms = attempt.event_ms if kind == "complete" else attempt.reported_ms
    metadata = {
        "event_timestamp": at_ms,
        "kafka_timestamp": at_ms + 1634,
        "original-destination": f"/topic/transfer.fts_monitoring_{kind}",
        "producer": "fts",
        "timestamp": at_ms + 283,
        "topic": f"fts_raw_{kind}",
        "type": kind,
        "type_prefix": "raw",
    }
    return orjson.dumps({"data": data, "metadata": metadata})
