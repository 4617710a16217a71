"""FTS start and complete: raw rows, link windows, dead letters, and the views that people read."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_SQL = Path(__file__).parents[1] / "sql"
_SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
_STAGES = {
    "streaming": "streaming of the bytes, ms",
    "total": "whole process, ms",
    "srm_prep": "SRM preparation, ms",
    "srm_fin": "SRM finalisation, ms",
    "checksum_src": "checksum at the source, ms",
    "checksum_dst": "checksum at the destination, ms",
    "throughput": "bytes / streaming time, bytes/s",
}


def upgrade() -> None:
    op.execute("CREATE SCHEMA store; CREATE SCHEMA report")
    for file in ("0001_tables.sql", "0001_functions.sql"):
        op.execute(_escaped((_SQL / file).read_text(encoding="utf-8")))
    for width, span in _SPANS.items():
        for kind in ("link", "channel"):
            op.execute(_escaped(_window_view(kind, width, span)))
    op.execute(_escaped((_SQL / "0001_views.sql").read_text(encoding="utf-8")))
    op.execute(_escaped((_SQL / "0001_roles.sql").read_text(encoding="utf-8")))


def downgrade() -> None:
    # The two roles belong to the whole cluster and stay; their rights go with the objects.
    op.execute("DROP SCHEMA report CASCADE; DROP SCHEMA store CASCADE")


def _escaped(sql: str) -> str:
    return sql.replace(":", r"\:")


def _window_view(kind: str, width: str, span: str) -> str:
    links = "ARRAY[w.link_id]" if kind == "link" else "array_agg(w.link_id)"
    stages, comments = [], []
    for number, (stage, meaning) in enumerate(_STAGES.items()):
        cell = "w.{0}" if kind == "link" else "{1}(w.{0})"
        casts = {"count": "sum", "sum": "sum", "min": "min", "max": "max"}
        for part, aggregate in casts.items():
            column = f"{stage}_{part}"
            value = cell.format(column, aggregate)
            if kind == "channel" and aggregate == "sum" and column != "throughput_sum":
                value += "::bigint"
            stages.append(f"{value} AS {column}")
        stages.append(
            f"store.link_histogram({links}, w.window_start, w.window_start + interval '{span}', {number}) "
            f"AS {stage}_hist"
        )
        comments.append(
            f"COMMENT ON COLUMN report.{kind}_{width}.{stage}_hist IS "
            f"'ok transfers by {meaning}; bins of report.hist_edge, element 1 is bin 0';"
        )
    files = [f"0001_{kind}_windows.sql", "0001_window_columns.sql"]
    view = "".join([(_SQL / file).read_text(encoding="utf-8") for file in files]) + "\n".join(comments)
    filled = {"width": width, "span": span, "view": f"{kind}_{width}", "stages": ",\n    ".join(stages)}
    for name, text in filled.items():
        view = view.replace(f"{{{name}}}", text)
    return view
