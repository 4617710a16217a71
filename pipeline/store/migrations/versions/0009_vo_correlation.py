"""VOs side by side on links and at sites."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

_SQL = Path(__file__).parents[1] / "sql"
_SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
_COUNTS = ("started", "ok", "failed", "aborted", "bytes", "bytes_ok", "bytes_moved")
_LARGEST = 2**63 - 1
# Sums over links may be larger than any of the counters they are made of.
_SUMS = ", ".join(f"least(sum(w.{name}), {_LARGEST})::bigint AS {name}" for name in _COUNTS)
_LINK_KEY = "w.src_host, w.dst_host, w.src_site, w.dst_site, w.src_country, w.dst_country"
_SITES = """report.link_{width} AS w CROSS JOIN LATERAL (
    SELECT w.src_site AS site, 'local' AS direction WHERE w.src_site = w.dst_site AND w.src_site <> 'unknown'
    UNION ALL SELECT w.src_site, 'out' WHERE w.src_site <> w.dst_site OR w.src_site = 'unknown'
    UNION ALL SELECT w.dst_site, 'in' WHERE w.src_site <> w.dst_site OR w.dst_site = 'unknown'
) AS s"""
_KINDS = {
    "link": (_LINK_KEY, "report.link_{width} AS w", "Transfers of each link"),
    "site": ("s.site, s.direction", _SITES, "Transfers of each site"),
}
_SITE_COLUMNS = {
    "site": "Site of one end; unknown stands for all hosts that nothing maps.",
    "direction": "out: the site is the source, in: it is the destination, local: it is both.",
}
_READERS = "transferscope_reader, transferscope_operator"


def upgrade() -> None:
    for kind in _KINDS:
        for width in _SPANS:
            op.execute(_view(kind, width).replace(":", r"\:"))
            op.execute(f"GRANT SELECT ON report.vo_{kind}_{width} TO {_READERS}")


def downgrade() -> None:
    for kind in _KINDS:
        for width in _SPANS:
            op.execute(f"DROP VIEW report.vo_{kind}_{width}")


def _view(kind: str, width: str) -> str:
    key, rows, meaning = _KINDS[kind]
    comments = (_SQL / "0001_window_columns.sql").read_text(encoding="utf-8").splitlines(keepends=True)
    view = (_SQL / "0009_vo_windows.sql").read_text(encoding="utf-8")
    view += "".join(line for line in comments if ".interval_" not in line)
    if kind == "site":
        view += "".join(
            f"COMMENT ON COLUMN report.{{view}}.{name} IS '{said}';\n" for name, said in _SITE_COLUMNS.items()
        )
    filled = {"key": key, "rows": rows, "meaning": meaning, "sums": _SUMS, "kind": kind, "view": f"vo_{kind}_{width}"}
    for name, text in (filled | {"width": width, "span": _SPANS[width]}).items():
        view = view.replace(f"{{{name}}}", text)
    return view
