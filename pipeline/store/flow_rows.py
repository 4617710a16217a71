"""Deltas of flows and kinds of failure -> rows, and the statements that add them."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor

from pipeline.stages.errors import ErrorDelta, ErrorDeltas
from pipeline.stages.flows import FLOW_COUNTERS, FlowDeltas
from pipeline.stages.windows import WIDTHS_MS
from pipeline.store.copying import copy_rows, moment, texts
from pipeline.store.links import Numbered
from pipeline.store.rolling import STARTS, STARTS_NULL, StartTexts, rolled

_FLOW_VALUES = ", ".join(("flow_id", *FLOW_COUNTERS))
_ERROR_COLUMNS = "window_start, link_id, error_id, count, sample_at, sample_dedupe, sample"

TEMPORARY = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS flow_delta ON COMMIT DELETE ROWS
AS SELECT {STARTS_NULL}, {_FLOW_VALUES} FROM store.flow_10m LIMIT 0;
CREATE TEMPORARY TABLE IF NOT EXISTS error_delta ON COMMIT DELETE ROWS
AS SELECT {_ERROR_COLUMNS} FROM store.error_10m LIMIT 0
"""

_ADD_FLOWS = tuple(
    f"""
    INSERT INTO store.flow_{width} AS w (window_start, {_FLOW_VALUES})
    SELECT start_{width}, {_FLOW_VALUES} FROM flow_delta WHERE start_{width} IS NOT NULL ORDER BY start_{width}, flow_id
    ON CONFLICT (window_start, flow_id) DO UPDATE SET
    {", ".join(f"{name} = w.{name} + excluded.{name}" for name in FLOW_COUNTERS)}, updated_at = statement_timestamp()
    """
    for width in WIDTHS_MS
)

_EARLIER = "(excluded.sample_at, excluded.sample_dedupe) < (w.sample_at, w.sample_dedupe)"
_ADD_ERRORS = f"""
INSERT INTO store.error_10m AS w ({_ERROR_COLUMNS})
SELECT {_ERROR_COLUMNS} FROM error_delta ORDER BY window_start, link_id, error_id
ON CONFLICT (window_start, link_id, error_id) DO UPDATE SET count = w.count + excluded.count,
    sample_at = least(w.sample_at, excluded.sample_at),
    sample_dedupe = CASE WHEN {_EARLIER} THEN excluded.sample_dedupe ELSE w.sample_dedupe END,
    sample = CASE WHEN {_EARLIER} THEN excluded.sample ELSE w.sample END
"""


def add_flows(cursor: Cursor, deltas: FlowDeltas, numbers: Numbered) -> None:
    """Add a batch's deltas to the windows of flows, of all widths."""
    rows: list[str] = []
    starts_as = StartTexts()
    for flow, windows in deltas.items():
        number = numbers.flows[flow]
        for starts, counters in rolled(windows, _added):
            rows.append(f"{starts_as[starts]}\t{number}\t" + "\t".join(map(str, counters)))
    copy_rows(cursor, "flow_delta", f"{', '.join(STARTS)}, {_FLOW_VALUES}", rows)
    for statement in _ADD_FLOWS:
        cursor.execute(statement)


def add_errors(cursor: Cursor, deltas: ErrorDeltas, numbers: Numbered) -> None:
    """Add a batch's failures to the windows of their kinds."""
    if not deltas:
        return
    # Kinds beyond what the table takes share a number, and a row may be added to once a statement.
    numbered: dict[tuple[int, int, int], ErrorDelta] = {}
    for (start, link, error), delta in deltas.items():
        where = (start, numbers.links[link], numbers.errors[error])
        known = numbered.setdefault(where, delta)
        if known is not delta:
            known.merge(delta)
    copy_rows(
        cursor,
        "error_delta",
        _ERROR_COLUMNS,
        [
            f"{moment(start)}\t{link}\t{error}\t{delta.count}\t{moment(delta.at_ms)}"
            f"\t{delta.dedupe}\t{texts((delta.sample,))}"
            for (start, link, error), delta in numbered.items()
        ],
    )
    cursor.execute(_ADD_ERRORS)


def _added(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]
