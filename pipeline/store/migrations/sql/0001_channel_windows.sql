CREATE VIEW report.channel_{width} AS
SELECT
    w.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    count(DISTINCT (k.src_host, k.dst_host)) AS links,
    sum(w.started)::bigint AS started, sum(w.ok)::bigint AS ok, sum(w.failed)::bigint AS failed,
    sum(w.aborted)::bigint AS aborted, sum(w.bytes)::bigint AS bytes, sum(w.bytes_ok)::bigint AS bytes_ok,
    sum(w.bytes_moved)::bigint AS bytes_moved,
    {stages},
    NULL::timestamptz AS final_at, max(w.updated_at) AS updated_at, bool_or(w.stale) AS stale,
    sum(w.interval_none)::bigint AS interval_none, sum(w.interval_empty)::bigint AS interval_empty,
    sum(w.interval_ignored)::bigint AS interval_ignored
FROM store.link_{width} AS w JOIN store.link AS k ON k.id = w.link_id
GROUP BY w.window_start, k.technology, k.fts, k.vo, k.channel;
COMMENT ON VIEW report.channel_{width} IS 'Transfers of each channel in windows of {span}: the sums of its links.';
COMMENT ON COLUMN report.channel_{width}.links IS 'Distinct links of the channel with traffic in the window.';
