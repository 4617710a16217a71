CREATE VIEW report.link_{width} AS
SELECT
    w.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel,
    k.src_host, k.dst_host, k.src_site, k.dst_site, k.src_country, k.dst_country,
    w.started, w.ok, w.failed, w.aborted, w.bytes, w.bytes_ok, w.bytes_moved,
    {stages},
    NULL::timestamptz AS final_at, w.updated_at, w.stale,
    w.interval_none, w.interval_empty, w.interval_ignored
FROM store.link_{width} AS w JOIN store.link AS k ON k.id = w.link_id;
COMMENT ON VIEW report.link_{width} IS 'Transfers of each link (source host, destination host) in windows of {span}.';
