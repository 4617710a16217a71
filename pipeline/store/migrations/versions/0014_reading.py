"""Link windows by number, for sums that meet the names last; ends of windows, for tags."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

_SPANS = {"10m": "10 minutes", "1h": "1 hour", "1d": "1 day"}
_COUNTS = {
    "started": "Starts with their event time in the window.",
    "ok": "Attempts that ended well, by event time of the complete.",
    "failed": "Attempts that failed.",
    "aborted": "Attempts that were cancelled.",
    "bytes": "Bytes of all finished attempts.",
    "bytes_ok": "Bytes of the ok attempts.",
    "bytes_moved": "Bytes that moved in the window.",
}
_STAGES = ("streaming", "total", "srm_prep", "srm_fin", "checksum_src", "checksum_dst", "throughput")
_KEYS = ("technology", "fts", "vo", "channel")
_ENDS = ("src_host", "dst_host", "src_site", "dst_site", "src_country", "dst_country")
_READERS = "transferscope_reader, transferscope_operator"

_KEY = f"""
CREATE VIEW report.link_key AS
SELECT id AS link_id, technology, nullif(fts, '') AS fts, vo, nullif(channel, '') AS channel, {", ".join(_ENDS)}
FROM store.link WHERE src_site <> '';
COMMENT ON VIEW report.link_key IS 'Keys of link windows by number.';
COMMENT ON COLUMN report.link_key.link_id IS 'Number of the key here; another database has other ones.';
"""
_PASS = """
CREATE VIEW report.window_pass AS
SELECT topic, window_end, first_at, last_at, changed FROM store.final_pass;
COMMENT ON VIEW report.window_pass IS 'Ends of windows, of whatever width, by the Kafka topic of their messages.';
COMMENT ON COLUMN report.window_pass.window_end IS 'The end of windows that a message added to.';
COMMENT ON COLUMN report.window_pass.first_at IS 'When windows with this end were first declared final; NULL: never.';
COMMENT ON COLUMN report.window_pass.last_at IS 'When they were last declared final.';
COMMENT ON COLUMN report.window_pass.changed IS 'Some of them have changed since, or were never declared.';
"""
# With a left join, what asks for no name does not meet the links at all.
_SUM = """
CREATE VIEW report.link_sum_{width} AS
SELECT
    w.window_start, w.link_id, {counts}, {stages},
    CASE WHEN w.updated_at <= f.first_at THEN f.first_at WHEN w.updated_at <= f.last_at THEN f.last_at END AS final_at,
    w.updated_at, w.stale
FROM store.link_{width} AS w LEFT JOIN store.link AS k ON k.id = w.link_id
LEFT JOIN store.final_pass AS f ON f.window_end = w.window_start + interval '{span}'
    AND f.topic = CASE k.technology WHEN 'fts' THEN 'fts.transfer' ELSE 'xrootd.transfer' END;
COMMENT ON VIEW report.link_sum_{width} IS 'Windows of {span} as report.link_{width} has them, by number of the link.';
COMMENT ON COLUMN report.link_sum_{width}.window_start IS 'The window is [window_start, window_start + {span}), UTC.';
COMMENT ON COLUMN report.link_sum_{width}.link_id IS 'Number of the key in report.link_key.';
COMMENT ON COLUMN report.link_sum_{width}.final_at IS 'When the window became final; NULL while more may come.';
COMMENT ON COLUMN report.link_sum_{width}.updated_at IS 'When the window last changed.';
COMMENT ON COLUMN report.link_sum_{width}.stale IS 'A newer topology maps these hosts otherwise: run recompute.';
GRANT SELECT ON report.link_sum_{width} TO {readers};
"""


def upgrade() -> None:
    op.execute(_escaped(_KEY))
    op.execute(_escaped(_PASS))
    op.execute(f"GRANT SELECT ON report.link_key, report.window_pass TO {_READERS}")
    counts = ", ".join(f"w.{name}" for name in _COUNTS)
    stages = ", ".join(f"w.{stage}_{part}" for stage in _STAGES for part in ("count", "sum"))
    for width, span in _SPANS.items():
        op.execute(_escaped(_SUM.format(width=width, span=span, counts=counts, stages=stages, readers=_READERS)))
        for name, meaning in _COUNTS.items():
            op.execute(_escaped(f"COMMENT ON COLUMN report.link_sum_{width}.{name} IS '{meaning}'"))


def downgrade() -> None:
    for width in _SPANS:
        op.execute(f"DROP VIEW report.link_sum_{width}")
    op.execute("DROP VIEW report.link_key; DROP VIEW report.window_pass")


def _escaped(sql: str) -> str:
    return sql.replace(":", r"\:")
