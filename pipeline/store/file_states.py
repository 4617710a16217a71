"""State messages: what is stored of them, their rows, and the windows that count them.

Queue waits and staging times have histograms beside those of the link windows, as two more stages of ``link_hist``.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pipeline.stages.decide import KnownState
from pipeline.stages.enrich import NewState
from pipeline.stages.windows import BASE_MS, LinkKey
from pipeline.store.copying import copy_rows, moment, moment_or_null, number_or_null, texts
from pipeline.store.window_rows import add_histograms
from schemas.events import STAGES
from schemas.histogram import BINS_PER_MEASURE, bin_of

QUEUE_WAIT, STAGING = len(STAGES), len(STAGES) + 1
"""Their stage numbers in ``link_hist``."""

_COLUMNS = (
    "event_at, dedupe, key_order, key_hash, link_id, fts, job_id, file_id, state, job_state, reason, ref,"
    " submitted_at, wait_ms, staging_ms, retry, received_at"
)
_KNOWN = """
SELECT (extract(epoch FROM s.event_at) * 1000)::bigint, s.dedupe,
    (extract(epoch FROM s.received_at) * 1000)::bigint, s.ref
FROM unnest(%s::timestamptz[], %s::bigint[]) AS k(event_at, dedupe)
JOIN store.file_state AS s ON s.event_at = k.event_at AND s.dedupe = k.dedupe
"""
_SUMS = ("count", "wait_count", "wait_sum", "staging_count", "staging_sum")
_EXTREMES = (("wait_min", "LEAST"), ("wait_max", "GREATEST"), ("staging_min", "LEAST"), ("staging_max", "GREATEST"))
MEASURES = (*_SUMS, *(name for name, _ in _EXTREMES))
_ADD = f"""
INSERT INTO store.file_state_10m AS w (window_start, link_id, state, {", ".join(MEASURES)}) VALUES %s
ON CONFLICT (window_start, link_id, state) DO UPDATE SET
    {", ".join(f"{name} = w.{name} + excluded.{name}" for name in _SUMS)},
    {", ".join(f"{name} = {word}(w.{name}, excluded.{name})" for name, word in _EXTREMES)}, updated_at = now()
"""
_WINDOW = f"(%s::timestamptz, %s, %s{', %s::bigint' * len(MEASURES)})"


def load(cursor: Cursor, states: Sequence[NewState]) -> list[KnownState]:
    """Those of a batch's state messages that are stored already."""
    if not states:
        return []
    keys = sorted({(new.change.event_ms, new.change.dedupe) for new in states})
    times, hashes = [moment(event_ms) for event_ms, _ in keys], [dedupe for _, dedupe in keys]
    # The bounds are written into the text: the planner then leaves the other days out.
    days = f" WHERE s.event_at BETWEEN '{times[0]}' AND '{times[-1]}'"
    cursor.execute(_KNOWN + days, (times, hashes))
    return [KnownState(*row) for row in cursor.fetchall()]


def write_rows(cursor: Cursor, states: Sequence[NewState], links: dict[LinkKey, int]) -> None:
    """New state messages, by rising dedupe key."""
    ordered = sorted(states, key=lambda new: (new.change.event_ms, new.change.dedupe))
    copy_rows(cursor, "store.file_state", _COLUMNS, (_row(new, links) for new in ordered))


def add_windows(cursor: Cursor, states: Sequence[NewState], links: dict[LinkKey, int]) -> None:
    """Count new state messages in their base windows."""
    windows: dict[tuple[int, int, str], _Tally] = {}
    for new in states:
        change = new.change
        key = (change.event_ms - change.event_ms % BASE_MS, links[new.link], change.state)
        tally = windows.get(key)
        if tally is None:
            tally = windows[key] = _Tally()
        tally.count += 1
        if change.wait_ms is not None:
            tally.waits.append(change.wait_ms)
        if change.staging_ms is not None:
            tally.stagings.append(change.staging_ms)
    if windows:
        ordered = sorted(windows.items())
        rows = [(moment(start), link, state, *tally.measures()) for (start, link, state), tally in ordered]
        add_histograms(cursor, ((start, link, tally.histogram()) for (start, link, _), tally in ordered))
        execute_values(cursor, _ADD, rows, template=_WINDOW, page_size=1000)


class _Tally:
    """What a batch adds to one state of a link in one window."""

    __slots__ = ("count", "stagings", "waits")

    def __init__(self) -> None:
        self.count = 0
        self.waits: list[int] = []
        self.stagings: list[int] = []

    def measures(self) -> tuple[int | None, ...]:
        """In the order of MEASURES."""
        waits, stagings = self.waits, self.stagings
        sums = (self.count, len(waits), sum(waits), len(stagings), sum(stagings))
        return (
            *sums,
            min(waits, default=None),
            max(waits, default=None),
            min(stagings, default=None),
            max(stagings, default=None),
        )

    def histogram(self) -> dict[int, int]:
        """Counts by code of ``link_hist``, rising."""
        counts: dict[int, int] = {}
        for stage, values in ((QUEUE_WAIT, self.waits), (STAGING, self.stagings)):
            for value in values:
                code = stage * BINS_PER_MEASURE + bin_of(value)
                counts[code] = counts.get(code, 0) + 1
        return dict(sorted(counts.items()))


def _row(new: NewState, links: dict[LinkKey, int]) -> str:
    c = new.change
    said = texts((c.fts, c.job_id, c.file_id, c.state, c.job_state, c.reason, c.ref))
    return (
        f"{moment(c.event_ms)}\t{c.dedupe}\t{c.key_order}\t{c.key_hash}\t{links[new.link]}\t{said}"
        f"\t{moment_or_null(c.submitted_ms)}\t{number_or_null(c.wait_ms)}\t{number_or_null(c.staging_ms)}"
        f"\t{number_or_null(c.retry)}\t{moment(c.received_ms)}"
    )
