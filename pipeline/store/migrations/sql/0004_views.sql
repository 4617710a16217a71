CREATE OR REPLACE VIEW report.transfer AS
SELECT
    k.technology, nullif(t.fts, '') AS fts, coalesce(nullif(t.agent, ''), nullif(s.agent, '')) AS agent_fqdn,
    t.transfer_id, s.transfer_id AS start_transfer_id, nullif(t.job_id, '') AS job_id, nullif(t.file_id, '') AS file_id,
    k.vo, t.activity, nullif(k.channel, '') AS channel, nullif(t.channel_type, '') AS channel_type,
    nullif(t.protocol, '') AS protocol, nullif(t.ipver, '') AS ipver,
    k.src_host, k.dst_host, nullif(t.src_url, '') AS src_url, nullif(t.dst_url, '') AS dst_url,
    k.src_site, k.dst_site, k.src_country, k.dst_country, t.src_endpoint, t.dst_endpoint, t.src_status, t.dst_status,
    t.topology_revision, t.start_at AS start_message_at, t.started_at, t.ended_at, t.state, t.bytes, t.file_size,
    t.streaming_ms, t.total_ms, t.srm_prep_ms, t.srm_fin_ms, t.checksum_src_ms, t.checksum_dst_ms,
    (SELECT f.wait_ms FROM store.file_state AS f
     WHERE f.key_order = t.key_order AND f.key_hash = t.key_hash AND f.fts = t.fts AND f.wait_ms IS NOT NULL
         AND f.event_at >= t.started_at - interval '1 minute' AND f.event_at <= t.ended_at
     ORDER BY f.event_at DESC, f.dedupe LIMIT 1) AS queue_wait_ms,
    nullif(t.error_scope, '') AS error_scope, nullif(t.error_phase, '') AS error_phase,
    nullif(t.error_category, '') AS error_category, nullif(t.error_code, '') AS error_code,
    nullif(e.template, '') AS error_template, nullif(t.error_message, '') AS error_message,
    t.retry, t.retry_max, NULL::text AS user_hash, t.received_at, s.ref AS start_ref, t.ref AS complete_ref
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe
LEFT JOIN store.error AS e ON e.id = t.error_id;
COMMENT ON COLUMN report.transfer.error_template IS 'The error message with its variable parts masked; NULL unless it failed.';

CREATE VIEW report.error_10m AS
SELECT
    w.window_start,
    k.technology, nullif(k.fts, '') AS fts, k.vo, nullif(k.channel, '') AS channel, k.src_host, k.dst_host,
    nullif(e.scope, '') AS scope, nullif(e.phase, '') AS phase, nullif(e.category, '') AS category,
    nullif(e.code, '') AS code, nullif(e.template, '') AS template, w.count, nullif(w.sample, '') AS sample,
    k.src_site, k.dst_site, k.src_country, k.dst_country
FROM store.error_10m AS w JOIN store.link AS k ON k.id = w.link_id JOIN store.error AS e ON e.id = w.error_id;
COMMENT ON VIEW report.error_10m IS 'Failed transfers of each link by kind of failure, in windows of 10 minutes.';
COMMENT ON COLUMN report.error_10m.window_start IS 'The window is [window_start, window_start + 10 minutes), UTC.';
COMMENT ON COLUMN report.error_10m.scope IS 'Where it failed, as FTS says: SOURCE, DESTINATION, TRANSFER, ...';
COMMENT ON COLUMN report.error_10m.phase IS 'When it failed, as FTS says: TRANSFER_PREPARATION, TRANSFER, ...';
COMMENT ON COLUMN report.error_10m.category IS 'Name of the error code.';
COMMENT ON COLUMN report.error_10m.code IS 'Error code: errno now, a GridFTP code in old messages.';
COMMENT ON COLUMN report.error_10m.template IS 'The message with hosts, paths, names, numbers and ids masked.';
COMMENT ON COLUMN report.error_10m.count IS 'Failed attempts of this kind, by event time.';
COMMENT ON COLUMN report.error_10m.sample IS 'The message of the first of them, its first 2048 characters.';
