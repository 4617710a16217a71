"""New starts and completes as rows of ``store.start`` and ``store.transfer``."""

from __future__ import annotations

from pipeline.stages.enrich import NewComplete, NewStart
from pipeline.store.copying import moment, moment_or_null, number_or_null, texts
from pipeline.store.links import Numbered
from schemas.events import INTERVAL_USED

START_COLUMNS = (
    "event_at, dedupe, key_order, key_hash, link_id, flow_id, fts, agent, transfer_id, job_id, file_id, activity,"
    " src_url, dst_url, src_rse, dst_rse, src_token, dst_token, ref, topology_revision, received_at, paired"
)
TRANSFER_COLUMNS = (
    "ended_at, dedupe, key_order, key_hash, link_id, flow_id, error_id, fts, agent, transfer_id, job_id, file_id,"
    " activity, channel_type, protocol, ipver, src_url, dst_url, src_rse, dst_rse, src_token, dst_token, src_endpoint,"
    " dst_endpoint, src_status, dst_status, state, error_scope, error_phase, error_category, error_code,"
    " error_message, direction, user_hash, ref, topology_revision, started_at, never_pairs, start_at, start_dedupe,"
    " bytes, file_size, interval_use, moved_from, moved_to, streaming_ms, total_ms, srm_prep_ms, srm_fin_ms,"
    " checksum_src_ms, checksum_dst_ms, throughput, retry, retry_max, received_at"
)


def start_row(new: NewStart, numbers: Numbered, revision: int) -> str:
    """A COPY row in the order of START_COLUMNS."""
    s = new.start
    src, dst = s.src, s.dst
    said = texts(
        (
            s.fts,
            s.agent,
            s.transfer_id,
            s.job_id,
            s.file_id,
            s.activity,
            src.url,
            dst.url,
            src.rse,
            dst.rse,
            src.token,
            dst.token,
            s.ref,
        )
    )
    return (
        f"{moment(s.event_ms)}\t{s.dedupe}\t{s.key_order}\t{s.key_hash}\t{numbers.links[new.link]}\t{numbers.flows[new.flow]}\t{said}"
        f"\t{revision}\t{moment(s.received_ms)}\t{'t' if new.paired else 'f'}"
    )


def transfer_row(new: NewComplete, numbers: Numbered, revision: int) -> str:
    """A COPY row in the order of TRANSFER_COLUMNS."""
    c = new.complete
    src, dst = c.src, c.dst
    said = texts(
        (
            c.fts,
            c.agent,
            c.transfer_id,
            c.job_id,
            c.file_id,
            c.activity,
            c.channel_type,
            c.protocol,
            c.ipver,
            src.url,
            dst.url,
            src.rse,
            dst.rse,
            src.token,
            dst.token,
            new.src.endpoint,
            new.dst.endpoint,
            new.src.status,
            new.dst.status,
            c.state,
            c.error_scope,
            c.error_phase,
            c.error_category,
            c.error_code,
            c.error_message,
            c.direction,
            new.user_hash,
            c.ref,
        )
    )
    start = f"{moment(new.started_by[0])}\t{new.started_by[1]}" if new.started_by else "\\N\t\\N"
    moved = f"{moment(c.moved_from_ms)}\t{moment(c.moved_to_ms)}" if c.interval == INTERVAL_USED else "\\N\t\\N"
    durations = "\t".join(["\\N" if d is None else str(d) for d in c.durations])
    error = number_or_null(None if new.error is None else numbers.errors[new.error])
    return (
        f"{moment(c.event_ms)}\t{c.dedupe}\t{c.key_order}\t{c.key_hash}\t{numbers.links[new.link]}\t{numbers.flows[new.flow]}\t{error}\t{said}"
        f"\t{revision}\t{moment_or_null(c.started_ms)}\t{'t' if c.never_pairs else 'f'}\t{start}"
        f"\t{c.bytes}\t{number_or_null(c.file_size)}\t{c.interval}\t{moved}\t{durations}"
        f"\t{number_or_null(c.retry)}\t{number_or_null(c.retry_max)}\t{moment(c.received_ms)}"
    )
