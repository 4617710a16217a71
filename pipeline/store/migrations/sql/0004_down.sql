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
    NULL::text AS error_template, nullif(t.error_message, '') AS error_message,
    t.retry, t.retry_max, NULL::text AS user_hash, t.received_at, s.ref AS start_ref, t.ref AS complete_ref
FROM store.transfer AS t
JOIN store.link AS k ON k.id = t.link_id
LEFT JOIN store.start AS s ON s.event_at = t.start_at AND s.dedupe = t.start_dedupe;
COMMENT ON COLUMN report.transfer.error_template IS 'The error message with its variable parts masked; NULL until classified.';
ALTER TABLE store.transfer DROP COLUMN flow_id, DROP COLUMN error_id;
ALTER TABLE store.start DROP COLUMN flow_id;
DROP TABLE store.error_10m, store.flow_10m, store.flow_1h, store.flow_1d, store.flow, store.error;
