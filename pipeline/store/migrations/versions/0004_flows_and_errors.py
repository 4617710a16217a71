"""Windows of VO endpoints and activities, and of failures by kind with the template of their message."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_SQL = Path(__file__).parents[1] / "sql"
_SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
_KINDS = {
    "endpoint": ("k.src_endpoint, k.dst_endpoint", "Transfers from one VO endpoint to another"),
    "activity": ("k.activity, k.src_site, k.dst_site", "Transfers of each activity from one site to another"),
}
_COLUMNS = {
    "src_endpoint": "VO endpoint at the source, unknown where nothing tells.",
    "dst_endpoint": "VO endpoint at the destination, unknown where nothing tells.",
}
_READERS = "transferscope_reader, transferscope_operator"


def upgrade() -> None:
    op.execute(_read("0004_tables.sql"))
    for kind in _KINDS:
        for width in _SPANS:
            op.execute(_window_view(kind, width))
    op.execute(_read("0004_views.sql"))
    for view in _views():
        op.execute(f"GRANT SELECT ON report.{view} TO {_READERS}")


def downgrade() -> None:
    for view in _views():
        op.execute(f"DROP VIEW report.{view}")
    op.execute(_read("0004_down.sql"))


def _views() -> list[str]:
    return [*(f"{kind}_{width}" for kind in _KINDS for width in _SPANS), "error_10m"]


def _read(file: str) -> str:
    return (_SQL / file).read_text(encoding="utf-8").replace(":", r"\:")


def _window_view(kind: str, width: str) -> str:
    key, meaning = _KINDS[kind]
    view = _read("0004_flow_windows.sql") + "".join(
        line for line in _read("0001_window_columns.sql").splitlines(keepends=True) if ".interval_" not in line
    )
    if kind == "endpoint":
        view += "".join(f"COMMENT ON COLUMN report.{{view}}.{name} IS '{text}';\n" for name, text in _COLUMNS.items())
    filled = {"kind": kind, "width": width, "span": _SPANS[width], "key": key, "meaning": meaning}
    for name, text in (filled | {"view": f"{kind}_{width}"}).items():
        view = view.replace(f"{{{name}}}", text)
    return view
