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
COMMENT ON COLUMN report.link_{width}.window_start IS 'The window is [window_start, window_start + {span}), UTC.';
COMMENT ON COLUMN report.link_{width}.started IS 'Starts with their event time in the window.';
COMMENT ON COLUMN report.link_{width}.ok IS 'Attempts that ended well, by event time of the complete.';
COMMENT ON COLUMN report.link_{width}.failed IS 'Attempts that failed. Efficiency = ok / (ok + failed).';
COMMENT ON COLUMN report.link_{width}.aborted IS 'Attempts that were cancelled.';
COMMENT ON COLUMN report.link_{width}.bytes IS 'Bytes of all finished attempts, whatever their outcome.';
COMMENT ON COLUMN report.link_{width}.bytes_ok IS 'Bytes of the ok attempts.';
COMMENT ON COLUMN report.link_{width}.bytes_moved IS 'Bytes that moved in the window: each transfer spread over its streaming interval. Throughput is drawn from it.';
COMMENT ON COLUMN report.link_{width}.interval_none IS 'Finished attempts without a streaming interval; their bytes moved at the event time.';
COMMENT ON COLUMN report.link_{width}.interval_empty IS 'Finished attempts with an empty streaming interval; their bytes moved at the event time.';
COMMENT ON COLUMN report.link_{width}.interval_ignored IS 'Finished attempts with a streaming interval that is not believable; their bytes moved at the event time.';
COMMENT ON COLUMN report.link_{width}.final_at IS 'When the window became final; NULL while more may come.';
COMMENT ON COLUMN report.link_{width}.stale IS 'A newer topology maps these hosts otherwise: run recompute.';
