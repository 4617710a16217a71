"""When windows are final. Sums over links and flows show the largest bigint instead of failing beyond it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

_SQL = Path(__file__).parents[1] / "sql"
_SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
_LARGEST = 2**63 - 1
_COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
_INTERVALS = ("interval_none", "interval_empty", "interval_ignored")
_STAGES = ("streaming", "total", "srm_prep", "srm_fin", "checksum_src", "checksum_dst", "throughput")
_FLOWS = {
    "endpoint": "k.src_endpoint, k.dst_endpoint",
    "activity": "k.activity, k.src_site, k.dst_site",
}
_FINAL = "CASE WHEN w.updated_at <= f.first_at THEN f.first_at WHEN w.updated_at <= f.last_at THEN f.last_at END"
_NEVER = "NULL::timestamptz"
_PASS = """
LEFT JOIN store.final_pass AS f ON f.window_end = w.window_start + interval '{span}'
    AND f.topic = CASE k.technology WHEN 'fts' THEN 'fts.transfer' ELSE 'xrootd.transfer' END"""
_LINK = """
CREATE OR REPLACE VIEW report.link_{width} AS
SELECT
    w.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, k.src_country, k.dst_country,
    w.started, w.ok, w.failed, w.aborted, w.bytes, w.bytes_ok, w.bytes_moved,
    {stages},
    {final} AS final_at, w.updated_at, w.stale,
    w.interval_none, w.interval_empty, w.interval_ignored
FROM store.link_{width} AS w JOIN store.link AS k ON k.id = w.link_id{join}
"""
_CHANNEL = """
CREATE OR REPLACE VIEW report.channel_{width} AS
SELECT
    w.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    count(DISTINCT (k.src_host, k.dst_host)) AS links,
    {sums},
    {stages},
    {final} AS final_at, max(w.updated_at) AS updated_at, bool_or(w.stale) AS stale,
    {intervals}
FROM store.link_{width} AS w JOIN store.link AS k ON k.id = w.link_id{join}
GROUP BY w.window_start, k.technology, k.fts, k.vo, k.channel
"""
_FLOW = """
CREATE OR REPLACE VIEW report.{kind}_{width} AS
SELECT
    w.window_start, k.technology, nullif(k.fts, '') AS fts, k.vo, {key},
    {sums},
    {final} AS final_at, max(w.updated_at) AS updated_at, bool_or(w.stale) AS stale
FROM store.flow_{width} AS w JOIN store.flow AS k ON k.id = w.flow_id{join}
GROUP BY w.window_start, k.technology, k.fts, k.vo, {key}
"""


def upgrade() -> None:
    op.execute(_escaped((_SQL / "0011_tables.sql").read_text(encoding="utf-8")))
    _views(_FINAL, _PASS)


def downgrade() -> None:
    _views(_NEVER, "")
    op.execute(_escaped((_SQL / "0011_down.sql").read_text(encoding="utf-8")))


def _views(final: str, join: str) -> None:
    """All views of windows of links and flows; a group is final when all of its rows are."""
    grouped = final if final == _NEVER else f"CASE WHEN bool_and({final} IS NOT NULL) THEN max({final}) END"
    for width, span in _SPANS.items():
        filled = {"width": width, "join": join.format(span=span)}
        link, channel = (_stages(kind, span) for kind in ("link", "channel"))
        views = [
            _LINK.format(**filled, final=final, stages=link),
            _CHANNEL.format(**filled, final=grouped, stages=channel, sums=_sums(_COUNTS), intervals=_sums(_INTERVALS)),
        ]
        views += [
            _FLOW.format(**filled, final=grouped, kind=kind, key=key, sums=_sums(_COUNTS))
            for kind, key in _FLOWS.items()
        ]
        for view in views:
            op.execute(_escaped(view))


def _sums(names: tuple[str, ...]) -> str:
    return ", ".join(f"{_sum(f'w.{name}')} AS {name}" for name in names)


def _sum(column: str) -> str:
    return f"least(sum({column}), {_LARGEST})::bigint"


def _stages(kind: str, span: str) -> str:
    links = "ARRAY[w.link_id]" if kind == "link" else "array_agg(w.link_id)"
    columns = []
    for number, stage in enumerate(_STAGES):
        for part in ("count", "sum", "min", "max"):
            value = f"w.{stage}_{part}"
            if kind == "channel":
                exact = part == "sum" and stage == "throughput"
                value = f"{part}({value})" if part in ("min", "max") or exact else _sum(value)
            columns.append(f"{value} AS {stage}_{part}")
        columns.append(
            f"store.link_histogram({links}, w.window_start, w.window_start + interval '{span}', {number})"
            f" AS {stage}_hist"
        )
    return ", ".join(columns)


def _escaped(sql: str) -> str:
    return sql.replace(":", r"\:")
