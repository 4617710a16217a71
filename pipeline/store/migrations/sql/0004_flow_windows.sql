CREATE VIEW report.{kind}_{width} AS
SELECT
    w.window_start, k.technology, nullif(k.fts, '') AS fts, k.vo, {key},
    sum(w.started)::bigint AS started, sum(w.ok)::bigint AS ok, sum(w.failed)::bigint AS failed,
    sum(w.aborted)::bigint AS aborted, sum(w.bytes)::bigint AS bytes, sum(w.bytes_ok)::bigint AS bytes_ok,
    sum(w.bytes_moved)::bigint AS bytes_moved,
    NULL::timestamptz AS final_at, max(w.updated_at) AS updated_at, bool_or(w.stale) AS stale
FROM store.flow_{width} AS w JOIN store.flow AS k ON k.id = w.flow_id
GROUP BY w.window_start, k.technology, k.fts, k.vo, {key};
COMMENT ON VIEW report.{kind}_{width} IS '{meaning}, in windows of {span}.';
