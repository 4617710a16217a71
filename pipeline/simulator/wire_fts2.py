"""The bodies that FTS2 wrote in 2011 and 2012: one line, everything text, no job and file, 0x04 at the end.

In 2012 a blank was left in front of the body, and completes told of the whole process and the kind of the channel.
"""

from __future__ import annotations

from pipeline.simulator.failures import code_told
from pipeline.simulator.naming import names_of
from pipeline.simulator.script import ABORTED, FAILED, OK, Attempt, Era

_ENDPOINT = "https://%s:8443/glite-data-transfer-fts/services/FileTransfer"
_STATES = {OK: "Ok", FAILED: "Error", ABORTED: "Abort"}


def fts2_start(attempt: Attempt) -> bytes:
    """A start as FTS2 wrote it."""
    fields = {
        "agent_fqdn": attempt.agent,
        "transfer_id": attempt.start_id,
        "endpnt": _ENDPOINT % attempt.file.fts,
        "timestamp": _instant(attempt.reported_ms),
    }
    token = names_of(attempt.file).token
    return _framed(attempt, fields | _link_fields(attempt) | {"srm_space_token_src": "", "srm_space_token_dst": token})


def fts2_complete(attempt: Attempt) -> bytes:
    """A complete as FTS2 wrote it: no agent, and in 2011 no times of the process."""
    file, failure = attempt.file, attempt.failure
    fields = {"tr_id": attempt.complete_id, "endpnt": _ENDPOINT % file.fts} | _link_fields(attempt)
    if file.era is Era.FTS2_2012:
        fields["channel_type"] = "urlcopy"
    for name, (begin, end) in (
        (("timestamp_tr_st", "timestamp_tr_comp"), attempt.streaming),
        (("timestamp_chk_src_st", "timestamp_chk_src_ended"), attempt.checksum_src),
        (("timestamp_checksum_dest_st", "timestamp_checksum_dest_ended"), attempt.checksum_dst),
        (("time_srm_prep_st", "time_srm_prep_end"), attempt.srm_prep),
        (("time_srm_fin_st", "time_srm_fin_end"), attempt.srm_fin),
    ):
        fields[name[0]], fields[name[1]] = _instant(begin), _instant(end)
    if file.era is Era.FTS2_2012:
        fields |= {
            "tr_timestamp_start": _instant(attempt.begin_ms),
            "tr_timestamp_complete": _instant(attempt.end_ms),
        }
    token = names_of(file).token
    fields |= {
        "t_timeout": "1800",
        "chk_timeout": "1800",
        "t_error_code": code_told(failure, by_fts2=True) if failure else "",
        "tr_error_scope": failure.scope if failure else "",
        "t_failure_phase": failure.phase if failure else "",
        "tr_error_category": failure.category if failure else "",
        "t_final_transfer_state": _STATES[attempt.state],
        "tr_bt_transfered": str(attempt.bytes),
        "nstreams": "5",
        "buf_size": "0",
        "tcp_buf_size": "0",
        "block_size": "0",
        "f_size": str(file.size),
        "srm_space_token_src": "",
        "srm_space_token_dst": f"{file.link.vo}:{token}" if token else "",
        "t__error_message": failure.text.replace("%x", f"{file.noise:x}") if failure else "",
    }
    return _framed(attempt, fields)


def _link_fields(attempt: Attempt) -> dict[str, str]:
    file = attempt.file
    names = names_of(file)
    return {
        "src_srm_v": "2.2.0",
        "dest_srm_v": "2.2.0",
        "vo": file.link.vo,
        "src_url": names.src_url,
        "dst_url": names.dst_url,
        "src_hostname": file.src_name,
        "dst_hostname": file.dst_name,
        "src_site_name": file.link.src.label,
        "dst_site_name": file.link.dst.label,
        "t_channel": file.channel,
    }


def _instant(instant_ms: int) -> str:
    """Milliseconds as text with six decimals; empty where it did not happen."""
    return f"{instant_ms}.000000" if instant_ms else ""


def _framed(attempt: Attempt, fields: dict[str, str]) -> bytes:
    line = "{" + ",".join(f'"{name}":"{value}"' for name, value in fields.items()) + "}"
    before = " " if attempt.file.era is Era.FTS2_2012 else ""
    return f"{before}{line}\x04".encode("utf-8", "surrogateescape")
