"""Queue reports and their samples, stored so that neither order nor copies nor a second writer show.

A report is claimed by its key before anything is decided: a writer with a copy of it waits there for the outcome of
the first, and learns that it is stored. Its samples are upserted; of two of one key and instant the larger stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.queues import Samples
from pipeline.stages.windows import BASE_MS, LinkKey
from pipeline.store.copying import moment
from schemas.events import QueueReport

_CLAIM = (
    "INSERT INTO store.queue_message (sampled_at, dedupe) VALUES %s ON CONFLICT DO NOTHING"
    " RETURNING (extract(epoch FROM sampled_at) * 1000)::bigint, dedupe"
)
_RANK = 'coalesce({0}.active, -1), coalesce({0}.ready, -1), coalesce({0}.ratio, -1), {0}.channel_type COLLATE "C"'
_ADD = (
    "INSERT INTO store.queue_sample AS q"
    " (window_start, link_id, sampled_at, active, ready, ratio, channel_type) VALUES %s"
    " ON CONFLICT (window_start, link_id, sampled_at) DO UPDATE SET active = excluded.active,"
    " ready = excluded.ready, ratio = excluded.ratio, channel_type = excluded.channel_type"
    f" WHERE ({_RANK.format('excluded')}) > ({_RANK.format('q')})"
)
_PAGE = 1000


def claim(cursor: Cursor, reports: Iterable[QueueReport]) -> set[tuple[int, int]]:
    """Note that these reports are stored, from the commit on; (event time, dedupe) of those that were before."""
    keys = {(report.event_ms, report.dedupe) for report in reports}
    if not keys:
        return keys
    rows = [(moment(event_ms), dedupe) for event_ms, dedupe in sorted(keys)]
    return keys - set(execute_values(cursor, _CLAIM, rows, page_size=_PAGE, fetch=True))


def add_samples(cursor: Cursor, samples: Samples, links: dict[LinkKey, int]) -> None:
    """Write the samples of a batch, by rising key; one that is there stays unless the new one ranks above it."""
    if samples:
        rows = sorted(
            (sampled_ms - sampled_ms % BASE_MS, links[key], sampled_ms, *sample[4:])
            for (key, sampled_ms), sample in samples.items()
        )
        execute_values(
            cursor,
            _ADD,
            [(moment(window), link, moment(sampled), *measured) for window, link, sampled, *measured in rows],
            page_size=_PAGE,
        )
