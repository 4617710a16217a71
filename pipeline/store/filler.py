"""Old rows in bulk, so that a benchmark can ask what a full table costs. Made in SQL; nobody counts them."""

from __future__ import annotations

from collections.abc import Callable

from psycopg2.extensions import connection as Connection

from pipeline.store.partitions import Partitions

DAY_MS = 86_400_000
_STEP = 500_000

_MOMENTS = (
    "WITH filled AS (SELECT i, timestamptz 'epoch' + (%(begin)s + i * %(gap)s) * interval '1 ms' AS at,"
    " 1000000000 + i AS file_id, md5(i::text) AS word FROM generate_series(%(low)s::bigint, %(high)s::bigint - 1) AS i)"
)
_TRANSFERS = f"""
{_MOMENTS}
INSERT INTO store.transfer (ended_at, dedupe, key_order, key_hash, link_id, fts, transfer_id, job_id, file_id, activity,
    channel_type, protocol, src_url, dst_url, src_endpoint, dst_endpoint, src_status, dst_status, state, error_code,
    topology_revision, started_at, never_pairs, start_at, start_dedupe, bytes, file_size, interval_use, moved_from,
    moved_to, streaming_ms, total_ms, srm_prep_ms, srm_fin_ms, throughput, retry, retry_max, received_at, ref)
SELECT at, hashint8extended(i, 1), file_id, hashint8extended(i, 2), 1, 'filler.example', file_id || '__' || word, word,
    file_id, 'Filler', 'urlcopy', 'davs', 'davs://source.example:443/atlas/rucio/data/' || word || word,
    'davs://destination.example:443/atlas/rucio/data/' || word || word, 'unknown', 'unknown', 'host', 'host', 'ok', '0',
    0, at - interval '30 s', false, at - interval '30 s', hashint8extended(i, 3), 1000000000, 1000000000, 0,
    at - interval '25 s', at - interval '5 s', 20000, 30000, 4000, 4000, 50000000, 0, 0, at, 'filler:' || i
FROM filled
"""
_STARTS = f"""
{_MOMENTS}
INSERT INTO store.start (event_at, dedupe, key_order, key_hash, link_id, fts, transfer_id, job_id, file_id, activity,
    src_url, dst_url, topology_revision, received_at, ref, paired)
SELECT at - interval '30 s', hashint8extended(i, 3), file_id, hashint8extended(i, 2), 1, 'filler.example',
    file_id || '__' || word, word, file_id, 'Filler', 'davs://source.example:443/atlas/rucio/data/' || word || word,
    'davs://destination.example:443/atlas/rucio/data/' || word || word, 0, at, 'filler:' || i, true
FROM filled
"""


def fill(
    connection: Connection,
    numbers: range,
    begin_ms: int,
    end_ms: int,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """The finished transfers of these numbers with their starts, evenly over [begin_ms, end_ms); ``progress`` gets how
    many were added.

    A file id is 10^9 and the number, so ids rise with time, as those of an FTS server do. No windows are made of them.
    """
    first_day = (begin_ms - DAY_MS) // DAY_MS * DAY_MS
    Partitions().ensure(connection, range(first_day, end_ms + DAY_MS, DAY_MS))
    gap = (end_ms - begin_ms) / len(numbers)
    values = {"begin": begin_ms - numbers.start * gap, "gap": gap}
    for low in range(numbers.start, numbers.stop, _STEP):
        high = min(low + _STEP, numbers.stop)
        with connection, connection.cursor() as cursor:
            for statement in (_TRANSFERS, _STARTS):
                cursor.execute(statement, values | {"low": low, "high": high})
        progress(high - low)
    connection.commit()
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) store.transfer")
            cursor.execute("VACUUM (ANALYZE) store.start")
            cursor.execute("CHECKPOINT")
    finally:
        connection.autocommit = False
